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


def compiled_in_place(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As ``compiled``, for a function that makes no array but writes into those that it is given.

    Numba then counts no references, which it does else at each look at an array in a tuple: many times as fast where a
    function does little else. One that makes an array after all is refused when it is compiled.
    """
    wrapped: Callable[_P, _R] = njit(cache=True, _nrt=False)(function)
    return wrapped


def compiled_inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As ``compiled``, written out wherever a compiled function calls it.

    For a view of an array in a tuple: numba counts references around a call of it, which makes short loops slower by
    half.
    """
    wrapped: Callable[_P, _R] = njit(cache=True, inline="always")(function)
    return wrapped
