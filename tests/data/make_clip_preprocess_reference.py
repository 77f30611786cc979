"""Make ``clip_preprocess_reference.json`` with torchvision: digests of pictures as CLIP's own code prepares them.

torchvision is no dependency. Run in an environment of its own, with torch, torchvision and NumPy, in the repository's
root: ``python -m tests.data.make_clip_preprocess_reference``. The chain is that of CLIP's repository (Radford et al.
2021): shorter side to the size (bicubic, antialiased by Pillow), centre cut, values by 255, normalised.
"""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

REFERENCE = Path(__file__).with_name("clip_preprocess_reference.json")
SIZES = {
    24: [(40, 30), (33, 71), (24, 24), (10, 300)],
    224: [(640, 480), (481, 333), (500, 375), (110, 55), (224, 301)],
    336: [(640, 427), (333, 500)],
}
"""Sides of the prepared picture to width and height of the file; margins are even, 1 and 3 beyond a multiple of 4."""


def picture(size: tuple[int, int]) -> bytes:
    """A PNG of colours that change smoothly and in steps, the same everywhere."""
    wide, high = size
    x, y = np.meshgrid(np.arange(wide), np.arange(high))
    bands = [(7 * x + 3 * y) % 256, (x * y) % 256, 128 + 100 * ((x // 5 + y // 7) % 2)]
    buffer = io.BytesIO()
    Image.fromarray(np.stack(bands, axis=-1).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def digest(values: np.ndarray) -> str:
    """Digest of float32 values of shape (3, side, side)."""
    assert values.dtype == np.float32
    return hashlib.sha256(np.ascontiguousarray(values).astype("<f4").tobytes()).hexdigest()


def main() -> None:
    """Write the reference."""
    import PIL
    import torchvision  # type: ignore[import-not-found]
    from torchvision import transforms

    rows = []
    for side, sizes in SIZES.items():
        chain = transforms.Compose(
            [
                transforms.Resize(side, interpolation=transforms.InterpolationMode.BICUBIC),
                transforms.CenterCrop(side),
                transforms.ToTensor(),
                transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
            ]
        )
        for size in sizes:
            values = chain(Image.open(io.BytesIO(picture(size)))).numpy()
            rows.append({"side": side, "size": size, "sha256": digest(values)})
    made = {
        "made_by": "tests/data/make_clip_preprocess_reference.py",
        "package": "torchvision",
        "versions": {"torchvision": torchvision.__version__, "pillow": PIL.__version__},
        "rows": rows,
    }
    REFERENCE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
