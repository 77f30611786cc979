"""Families of a zoo's models: sizes of one architecture, told by how its models' names begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from splitshare.onloading.zoo import ZooModel


def marked(models: Sequence[ZooModel], families: Mapping[str, str]) -> tuple[ZooModel, ...]:
    """The models, those of a family marked as variants of it; a family of which there is one model marks nothing.

    Args:
        models: of the zoo.
        families: what the names of a family's models begin with, by family; no name may begin with two of them.
    """
    names = [[f for f, start in families.items() if model.name.startswith(start)] for model in models]
    assert all(len(found) <= 1 for found in names), names
    members = [found[0] for found in names if found]
    return tuple(
        model.model_copy(update={"variant_of": next((f for f in found if members.count(f) > 1), None)})
        for model, found in zip(models, names, strict=True)
    )
