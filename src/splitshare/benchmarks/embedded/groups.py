"""Which models of the embedded benchmark are trained together: those that share modules."""

from __future__ import annotations

from collections.abc import Iterable

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model


def training_groups(catalog: Catalog, models: Iterable[str] | None = None) -> list[tuple[Model, ...]]:
    """Models in groups, each in catalogue order, ordered by the first: in one group are those that share modules.

    Args:
        catalog: the catalogue.
        models: names of those wanted; whoever shares modules with one comes too. By default all.

    Raises:
        InputError: a model is unknown.
    """
    groups: list[set[str]] = []
    for shared in catalog.modules().values():
        joined = set(shared.users).union(*(group for group in groups if group & set(shared.users)))
        groups = [group for group in groups if not group & joined] + [joined]
    wanted = set(catalog.models) if models is None else {catalog.model(name).name for name in models}
    order = [tuple(m for m in catalog.models.values() if m.name in group) for group in groups if group & wanted]
    return sorted(order, key=lambda group: group[0].number)
