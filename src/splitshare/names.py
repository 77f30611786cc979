"""Names made of names: unique, and no longer than a record's may be."""

from __future__ import annotations

from collections.abc import Iterable

from splitshare.files import sha256_bytes
from splitshare.ranges import MOST_NAME

_DIGITS = 8
"""Of a digest, which tells names apart that are cut or would be the same."""


class MadeNames:
    """Names that are made of parts, the same for the same parts."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """``taken``: names that nothing may be given."""
        self._taken = set(taken)
        self._made: dict[tuple[str, tuple[str, ...]], str] = {}

    def of(self, *parts: str, between: str) -> str:
        """``parts`` with ``between`` between them; cut and with a digest of them where that is too long, or taken."""
        key = (between, parts)
        if key not in self._made:
            whole = name = between.join(parts)
            digest = whole
            while len(name) > MOST_NAME or name in self._taken:
                digest = sha256_bytes(repr((digest, *key)).encode())[:_DIGITS]
                name = f"{whole[: MOST_NAME - _DIGITS - 1]}.{digest}"
            self._taken.add(name)
            self._made[key] = name
        return self._made[key]


def joined(*parts: str, between: str) -> str:
    """One name of parts; see ``MadeNames``."""
    return MadeNames().of(*parts, between=between)
