"""Floating point operations of each module for one request, counted on the model without storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from splitshare.checkpoints.chain import places
from splitshare.checkpoints.cut import Cut
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.inputs import REQUESTS, seeded_inputs


def operations(found: Cut, families: Mapping[str, Family]) -> dict[str, int]:
    """Operations of modules by name: two for each multiplication and addition of a matrix product or convolution.

    Empty where nobody described what the model takes, or its path through itself depends on what it computes.
    """
    checkpoint = found.checkpoint
    family = families.get(str(checkpoint.config.model_type))
    if family is None or not family.inputs:
        return {}
    inputs = seeded_inputs(checkpoint, family)
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter, WholeNumbersAreReal():  # type: ignore[no-untyped-call]
            checkpoint.skeleton(**inputs)
    except Exception:  # noqa: BLE001 - whatever a class does with values that are not there: then it is not known
        return {}
    root = type(checkpoint.skeleton).__name__
    counted = {place: sum(ops.values()) for place, ops in counter.get_flop_counts().items()}
    found_places = {module.name: places(checkpoint.skeleton, module) for module in found.modules}
    return {
        name: sum(counted.get(f"{root}.{place}", 0) for place, _ in parts) // REQUESTS
        for name, parts in found_places.items()
    }


_COPY, _ITEM = torch.ops.aten._to_copy.default, torch.ops.aten._local_scalar_dense.default


class WholeNumbersAreReal(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Computes with tokens and masks, which have values, and passes shapes alone where one tensor has none.

    Where a picture's tokens go depends on the words, and classes look there.
    """

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation, its arguments on the device without storage if one of them is there."""
        named = kwargs or {}
        tensors = [value for value in _flat([args, list(named.values())]) if torch.is_tensor(value)]
        if any(tensor.is_meta for tensor in tensors) and not all(tensor.is_meta for tensor in tensors):
            args = _shapes(args)
            named = {key: _shapes(value) for key, value in named.items()}
        if func is _COPY and args[0].is_meta:  # what has no values has none elsewhere either
            named = {**named, "device": torch.device("meta")}
        if func is _ITEM and args[0].is_meta and args[0].dtype == torch.bool:
            return True  # asked of masks, whether they let everything through: requests here are not filled up
        return func(*args, **named)


def _flat(value: Any) -> list[Any]:
    return [item for part in value for item in _flat(part)] if isinstance(value, list | tuple) else [value]


def _shapes(value: Any) -> Any:
    """Tensors without their values; a mask that chooses, as the places that it chooses."""
    if torch.is_tensor(value):
        return value if value.is_meta else value.to("meta")
    if isinstance(value, list) and any(torch.is_tensor(v) and v.dtype == torch.bool and not v.is_meta for v in value):
        chosen: list[Any] = []
        for part in value:
            masked = torch.is_tensor(part) and part.dtype == torch.bool and not part.is_meta
            chosen += [where.to("meta") for where in part.nonzero(as_tuple=True)] if masked else [_shapes(part)]
        return chosen
    if isinstance(value, list | tuple):
        return type(value)(_shapes(item) for item in value)
    return value
