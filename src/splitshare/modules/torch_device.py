"""The device that torch computes on: what a person may call it, and which it is here."""

from __future__ import annotations

import re

import torch

from splitshare.choices import TORCH_DEVICE
from splitshare.errors import InputError


def torch_device(name: str) -> torch.device:
    """The device of that name, once it is known to be there.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:<index>``, ``mps``; or ``auto``: what there is beside the CPU, else the CPU.

    Raises:
        InputError: there is no such device here, or no such name.
    """
    if not re.fullmatch(TORCH_DEVICE, name):
        raise InputError("--torch-device", "", f"{name!r} is none of auto, cpu, cuda, cuda:<index> and mps")
    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        name = found.type if found is not None and re.fullmatch(TORCH_DEVICE, found.type) else "cpu"
    if name == "mps" and not torch.backends.mps.is_available():  # what torch itself says then is of its kernels
        raise InputError("--torch-device", "", "'mps' cannot be used here: torch finds no Apple GPU")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError("--torch-device", "", f"{name!r} cannot be used here: {reason}") from None
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", torch.cuda.current_device())
    return device


def described(device: torch.device) -> str:
    """The device as readers are told of it, with the GPU's name."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
