"""What times a result rests on: how many are measured, published, derived and assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from splitshare.onloading.zoo import Zoo
from splitshare.profiling.records import ModuleProfile

KINDS = ("measured", "published", "derived", "assumed")


def of_profiles(profiles: Iterable[ModuleProfile]) -> Counter[str]:
    """Times of devices, a row a module and batch, by where they come from; rows without a time are left out."""
    return Counter(row.provenance for p in profiles for row in p.rows if row.compute_median_s is not None)


def of_zoos(zoos: Iterable[Zoo]) -> Counter[str]:
    """Times of zoos, a curve a model and device class, by where they come from."""
    return Counter(str(curve.provenance) for zoo in zoos for model in zoo.models for curve in model.curves)


def in_words(counts: Mapping[str, int]) -> str:
    """The shares in percent, such as ``3% published, 97% derived``; whole percents, but nothing that is there is 0.

    Raises:
        ValueError: there is nothing to count.
    """
    total = sum(counts.values())
    if not total:
        raise ValueError("no times to count")
    told = []
    for kind in KINDS:
        if counts.get(kind, 0):
            percent = round(100 * counts[kind] / total)
            told.append(f"{percent or '<1'}% {kind}")
    return ", ".join(told)
