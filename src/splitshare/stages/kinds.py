"""Options that some kinds of a thing need and others have no use for: said in one line, never left out in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from splitshare.errors import InputError
from splitshare.records import nearest

_T = TypeVar("_T")


def needed(kind: str, name: str, value: _T | None) -> _T:
    """The value of an option that a kind needs.

    Raises:
        InputError: it is not given.
    """
    if value is None:
        raise InputError(_option(name), "", f"is needed for the kind {kind}; give it")
    return value


def refuse(kind: str, **given: object) -> None:
    """Check that options which mean nothing to a kind are not given.

    Raises:
        InputError: names the first that is.
    """
    for name, value in given.items():
        if value is not None:
            raise InputError(_option(name), "", f"has no meaning for the kind {kind}; leave it out")


def chosen(option: str, asked: Sequence[_T], known: Sequence[_T]) -> tuple[_T, ...]:
    """What a repeatable option names, or all that there is.

    Raises:
        InputError: something unknown, or something twice.
    """
    for i, name in enumerate(asked):
        if name not in known:
            raise InputError(option, str(name), f"is not known; {nearest(str(name), [str(one) for one in known])}")
        if name in asked[:i]:
            raise InputError(option, str(name), "is there twice; give it once")
    return tuple(asked) or tuple(known)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
