"""What several checkpoints have in common: modules that are one, that are one after rounding, and that are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from splitshare.checkpoints.cut import CutModule
from splitshare.checkpoints.digest import (
    DigestCache,
    computing_differences,
    module_digest,
    shape_digest,
    values,
)
from splitshare.checkpoints.tensors import DTYPE_NAMES, ITEM_BYTES

Relation = Literal["equal after rounding", "computes otherwise", "similar", "other values"]

SIMILAR = 0.2
"""Relative distance below which a module is called similar: a copy that was trained on moves by a few percent, while
two trainings from different starts are about as far apart as they are large (1.4)."""


@dataclass(frozen=True)
class Shared:
    """One module that one or more models have."""

    digest: str
    members: tuple[CutModule, ...]
    """The same module in each of its models, in their order."""

    @property
    def module(self) -> CutModule:
        """The first of them."""
        return self.members[0]

    @property
    def saved_bytes(self) -> int:
        """Bytes that need not be held a second time."""
        return sum(member.bytes for member in self.members[1:])


@dataclass(frozen=True)
class Pair:
    """Two modules of one architecture that are not one."""

    first: CutModule
    second: CutModule
    relation: Relation
    distance: float
    """Relative: norm of the difference by the norm of the first; 0 where values are equal."""
    layers: tuple[tuple[str, float], ...]
    """Relative distances of the tensors that moved most, by name."""
    note: str = ""


def shared_modules(modules: Sequence[CutModule], cache: DigestCache) -> list[Shared]:
    """Modules by identity, in the order in which they first appear; equal tensors that compute otherwise stay apart."""
    groups: list[tuple[str, list[CutModule]]] = []
    for module in modules:
        digest = module_digest(module, cache)
        same = (
            members
            for other, members in groups
            if other == digest and not computing_differences(members[0].computes, module.computes)
        )
        members = next(same, None)
        if members is None:
            groups.append((digest, [module]))
        else:
            members.append(module)
    return [Shared(digest, tuple(members)) for digest, members in groups]


def pairs(shared: Sequence[Shared], cache: DigestCache) -> list[Pair]:
    """Every two different modules of one kind and architecture, of two models, and how far apart they are."""
    found = []
    shapes = [shape_digest(each.module) for each in shared]
    for i, first in enumerate(shared):
        for j in range(i + 1, len(shared)):
            second = shared[j]
            alike = shapes[i] == shapes[j] and first.module.kind == second.module.kind
            if alike and first.module.model != second.module.model:
                found.append(_pair(first, second, cache))
    return found


def with_similar(shared: Sequence[Shared], found: Sequence[Pair]) -> list[Shared]:
    """Modules, those that are equal after rounding or similar to an earlier one counted as one with it."""
    near = {
        frozenset((id(pair.first), id(pair.second)))
        for pair in found
        if pair.relation in ("equal after rounding", "similar")
    }
    groups: list[list[Shared]] = []
    for each in shared:
        like = (g for g in groups if frozenset((id(g[0].module), id(each.module))) in near)
        group = next(like, None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return [Shared(g[0].digest, tuple(member for each in g for member in each.members)) for g in groups]


def _pair(a: Shared, b: Shared, cache: DigestCache) -> Pair:
    first, second = a.module, b.module
    if a.digest == b.digest:
        keys = computing_differences(first.computes, second.computes)
        told = ", ".join(f"{key}: {first.computes[key]} and {second.computes[key]}" for key in keys[:3])
        return Pair(first, second, "computes otherwise", 0.0, (), told)
    rounded = _rounded(first, second, cache)
    if rounded is not None:
        return Pair(first, second, "equal after rounding", 0.0, (), f"to {DTYPE_NAMES[rounded]}")
    distance, layers = distances(first, second)
    return Pair(first, second, "similar" if distance < SIMILAR else "other values", distance, layers)


def _rounded(first: CutModule, second: CutModule, cache: DigestCache) -> str | None:
    """The type to which one is rounded and is the other then; ``None``: it is not."""
    coarse, fine = sorted((first, second), key=lambda module: max(ITEM_BYTES[d] for d in module.dtypes))
    types = [dtype for dtype in coarse.dtypes if dtype in DTYPE_NAMES]
    if len(types) != 1 or first.dtypes == second.dtypes:
        return None
    same = module_digest(fine, cache, types[0]) == module_digest(coarse, cache)
    return types[0] if same else None


def distances(first: CutModule, second: CutModule, most: int = 3) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Relative distance of two modules of one architecture, and of the tensors that differ most.

    Args:
        first: whose norm distances are relative to.
        second: of the same names and shapes.
        most: tensors that are named.
    """
    total = moved = 0.0
    layers = []
    for name, tensor in first.tensors.items():
        other = second.tensors[name]
        if tensor.dtype not in DTYPE_NAMES or other.dtype not in DTYPE_NAMES:
            continue
        size = change = 0.0
        for mine, its in zip(values(tensor), values(other), strict=True):
            size += float(mine.double().square().sum())
            change += float((mine.double() - its.double()).square().sum())
        layers.append((name, math.sqrt(change / size) if size else float(change > 0)))
        total, moved = total + size, moved + change
    layers.sort(key=lambda layer: -layer[1])
    return math.sqrt(moved / total) if total else 0.0, tuple(layers[:most])
