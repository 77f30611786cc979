"""What a checkpoint's own processors make of pictures and texts; they lie beside its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL.Image import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoTokenizer

from splitshare.errors import InputError

PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")


def picture_processor(folder: Path) -> Callable[[Image], Tensor]:
    """From a picture to the tensor of one item, without the batch's dimension.

    Raises:
        InputError: the checkpoint has no processor of pictures.
    """
    if not any((folder / name).is_file() for name in PROCESSOR_FILES):
        raise InputError(folder, "", f"has no {PROCESSOR_FILES[0]}, which says how pictures are prepared; add it")
    # With Pillow: torchvision, which is not among the dependencies, rounds otherwise.
    processor: Any = _read(AutoImageProcessor, folder, backend="pil")

    def prepare(picture: Image) -> Tensor:
        made: Tensor = processor(images=[picture], return_tensors="pt")["pixel_values"][0]
        return made

    return prepare


def tokenizer(folder: Path) -> Any:
    """The tokeniser of its texts.

    Raises:
        InputError: the checkpoint has none.
    """
    if not (folder / TOKENIZER_FILES[0]).is_file():
        raise InputError(folder, "", f"has no {TOKENIZER_FILES[0]}, which says how texts become tokens; add it")
    return _read(AutoTokenizer, folder)


def _read(kind: Any, folder: Path, **more: Any) -> Any:
    try:
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **more)
    except Exception as error:  # noqa: BLE001 - whatever a processor's file does to its class: it is the file that is wrong
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise InputError(folder, "", f"its processor or tokeniser cannot be read: {reason}") from None
