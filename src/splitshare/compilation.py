"""Compiled functions: one way for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """``numba.njit`` with a type that a checker can follow; compiled on the first call, cached on disk."""
    wrapped: Callable[_P, _R] = njit(cache=True)(function)
    return wrapped
