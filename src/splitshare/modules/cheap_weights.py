"""Random weights for models of billions of parameters, made at the speed of memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights

BLOCK = 2**22
"""Random values that are drawn; they are repeated over and over."""


@contextmanager
def without_initialiser() -> Iterator[None]:
    """Leave the weights of modules that are built inside as they are found in memory."""
    with no_init_weights():
        yield


def fill(module: nn.Module, std: float) -> None:
    """Overwrite all matrices of ``module`` with normal values from torch's generator; biases become zero.

    One block of values is laid end to end through all matrices, so that equal matrices of two layers start at
    different places of it. Latency and memory do not depend on the values; the true initialiser of a 7B model takes
    a minute. Vectors that are no biases (scales of normalisation layers) are kept: their constructors set them.
    """
    block = torch.randn(BLOCK) * std
    offset = 0
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim > 1:
                offset = _tile(parameter.view(-1), block.to(parameter.dtype), offset)
            elif name.endswith("bias"):
                parameter.zero_()


def _tile(target: Tensor, block: Tensor, offset: int) -> int:
    """Copy ``block`` into ``target`` again and again, from ``offset`` on; returns where the next one goes on."""
    done = 0
    while done < len(target):
        count = min(len(block) - offset, len(target) - done)
        target[done : done + count] = block[offset : offset + count]
        done += count
        offset = (offset + count) % len(block)
    return offset
