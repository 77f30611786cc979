"""Count the operations that a pass hands to a device: on a GPU each is a kernel to launch (the counting is ours).

The dispatcher of torch is asked, so a module is counted as it runs, without weights on the meta device. What only
looks at a tensor in another shape (views) or takes memory for one starts nothing on a device and is not counted.
Attention counts as one: on the meta device it decomposes into its products, where a GPU runs one fused kernel. Other
operations may start more than one kernel, and a compiler would fuse some, so this is a measure of the launches and not
their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

_NOTHING_STARTS = frozenset(
    {"_unsafe_view", "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_local_scalar_dense"}
)
"""Operations that torch does not call views and that start nothing: another shape, memory taken, a number read."""


class OperationCounter:
    """Counts operations while it is entered: ``with OperationCounter() as counter: ...; counter.operations``."""

    def __init__(self) -> None:
        self.operations = 0
        """Operations that were handed to the device so far."""
        self._fused = 0
        self._modes: tuple[_Dispatched, _Called] = (_Dispatched(self), _Called(self))

    def __enter__(self) -> Self:
        for mode in self._modes:
            mode.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)  # type: ignore[no-untyped-call]

    def _dispatched(self, operation: Any) -> None:
        name = operation._schema.name.removeprefix("aten::")
        if not self._fused and not operation.is_view and name not in _NOTHING_STARTS:
            self.operations += 1

    def _begin_fused(self) -> None:
        self.operations += not self._fused
        self._fused += 1

    def _end_fused(self) -> None:
        self._fused -= 1


class _Dispatched(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tells of every operation below autograd."""

    def __init__(self, counter: OperationCounter) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counter = counter

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self._counter._dispatched(func)
        return func(*args, **(kwargs or {}))


class _Called(TorchFunctionMode):
    """Tells when attention begins and ends, whatever it decomposes into."""

    def __init__(self, counter: OperationCounter) -> None:
        super().__init__()
        self._counter = counter

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is not torch.nn.functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        self._counter._begin_fused()
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self._counter._end_fused()
