"""From files of pictures and sounds to the tensors that the towers were trained on."""

from __future__ import annotations

import io
import math
import warnings
import wave
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from PIL import Image
from scipy.signal import resample_poly
from torch import Tensor
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from splitshare.catalog.records import Architecture
from splitshare.errors import WorkError

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""Per channel, of CLIP's training pictures (Radford et al. 2021, its repository)."""
HALF = (0.5, 0.5, 0.5)
"""Mean and deviation that ViT's checkpoints expect."""
AST_RATE_HZ = 16_000
AST_MEAN, AST_STD = -4.2677393, 4.5689974
"""Of AudioSet's log-mel features (Gong et al. 2021); AST's input is (x - mean) / (2 std)."""

Preprocess = Callable[[bytes], Tensor]


def preprocessor(architecture: Architecture) -> Preprocess:
    """What turns a file into an input of an encoder of this architecture.

    Raises:
        WorkError: the encoder takes neither pictures nor sounds.
    """
    params = architecture.params
    match architecture.builder:
        case "clip-vit" | "clip-resnet":
            return lambda file: clip_image(file, int(str(params["image_size"])))
        case "vit":
            return lambda file: vit_image(file, int(str(params["image_size"])))
        case "ast-audio":
            return lambda file: ast_sound(file, int(str(params["frames"])), int(str(params["mel_bins"])))
    raise WorkError(f"{architecture.builder} takes no files")


def clip_image(file: bytes, size: int) -> Tensor:
    """A picture as CLIP sees it, shape (3, size, size): shorter side to ``size`` (bicubic), centre cut out.

    Bit for bit what CLIP's own code makes of it, with which its accuracies were published. The processors of
    transformers put the cut a pixel earlier where the margins, an odd number, are 3 beyond a multiple of 4.
    """
    picture = opened(file)
    shorter = min(picture.size)
    wide, high = (size * side // shorter for side in picture.size)
    resized = picture.resize((wide, high), Image.Resampling.BICUBIC)
    # Half a pixel goes to the even side, as it does there.
    left, top = (round((side - size) / 2) for side in (wide, high))
    return _normalised(resized.crop((left, top, left + size, top + size)), CLIP_MEAN, CLIP_STD)


def vit_image(file: bytes, size: int) -> Tensor:
    """A picture as ViT sees it, shape (3, size, size): both sides to ``size`` (bilinear)."""
    return _normalised(opened(file).resize((size, size), Image.Resampling.BILINEAR), HALF, HALF)


def ast_sound(file: bytes, frames: int, mel_bins: int) -> Tensor:
    """A WAV file as AST sees it, shape (frames, mel_bins).

    Log-mel features of 25 ms windows every 10 ms at 16 kHz, as Kaldi's; the first ``frames`` of them, padded with
    zeros as AST's own preprocessing does.
    """
    sound = _wav(file)
    features = spectrogram(
        sound,
        window_function(400, "hann", periodic=False),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=_mel_filters(mel_bins),
        log_mel="log",
        mel_floor=1.192092955078125e-07,
        remove_dc_offset=True,
    ).T[:frames]
    padded = np.zeros((frames, mel_bins), dtype=np.float32)
    padded[: len(features)] = features
    return torch.from_numpy((padded - AST_MEAN) / (2 * AST_STD))


@cache
def _mel_filters(mel_bins: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Kaldi's triangular filters, shape (257 frequencies, mel_bins)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AST's 128 bins leave the lowest filters empty, in its own preprocessing too
        filters: np.ndarray[tuple[int, int], np.dtype[np.float64]] = mel_filter_bank(
            num_frequency_bins=257,
            num_mel_filters=mel_bins,
            min_frequency=20,
            max_frequency=AST_RATE_HZ // 2,
            sampling_rate=AST_RATE_HZ,
            norm=None,
            mel_scale="kaldi",
            triangularize_in_mel_space=True,
        )
    return filters


def opened(file: bytes) -> Image.Image:
    """An encoded picture, in red, green and blue.

    Raises:
        WorkError: it cannot be read.
    """
    try:
        return Image.open(io.BytesIO(file)).convert("RGB")
    except (OSError, ValueError) as error:
        raise WorkError(f"a picture cannot be read: {error}") from None


def _normalised(picture: Image.Image, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    values = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)
    return ((values - torch.tensor(mean)) / torch.tensor(std)).permute(2, 0, 1).contiguous()


def _wav(file: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Samples of a 16-bit WAV file, channels averaged, at ``AST_RATE_HZ``, between -1 and 1."""
    try:
        with wave.open(io.BytesIO(file)) as opened:
            rate, channels, width = opened.getframerate(), opened.getnchannels(), opened.getsampwidth()
            content = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError) as error:
        raise WorkError(f"a sound cannot be read: {error}") from None
    if width != 2:
        raise WorkError(f"a sound has {8 * width} bits a sample; only WAV of 16 bits is read")
    sound = np.frombuffer(content, dtype="<i2").reshape(-1, channels).mean(axis=1) / 32768
    common = math.gcd(rate, AST_RATE_HZ)
    resampled: np.ndarray[tuple[int], np.dtype[np.float64]] = resample_poly(
        sound, AST_RATE_HZ // common, rate // common
    )
    return resampled
