"""Find the modules that models have in common."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import typer

from splitshare.checkpoints.cut import Cut, cut
from splitshare.checkpoints.digest import DigestCache
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.sharing import Pair, Shared, pairs, shared_modules
from splitshare.checkpoints.source import load_checkpoint, quiet_library
from splitshare.checkpoints.tensors import DTYPE_NAMES
from splitshare.commands.shared import Options
from splitshare.errors import InputError
from splitshare.files import write_text
from splitshare.modules.hub_pins import Pins
from splitshare.progress import track


@dataclass(frozen=True)
class Found:
    """What models have in common, and what is alike."""

    cuts: tuple[Cut, ...]
    shared: tuple[Shared, ...]
    pairs: tuple[Pair, ...]

    @property
    def bytes(self) -> int:
        """Of all models, each with modules of its own."""
        return sum(member.bytes for each in self.shared for member in each.members)

    @property
    def saved_bytes(self) -> int:
        """That sharing saves."""
        return sum(each.saved_bytes for each in self.shared)


def run(options: Options) -> Found:
    """Cut the models, digest their modules, and find those that are one.

    Raises:
        InputError: there is no such model, two have one name, or files are wrong.
        WorkError: a model cannot be split.
    """
    quiet_library()
    families = load_families(options.catalog_root)
    pins = Pins(options.pins)
    cuts: list[Cut] = []
    for model in options.models:
        found = cut(load_checkpoint(model, pins), families)
        if any(found.checkpoint.name == other.checkpoint.name for other in cuts):
            raise InputError(model, "", f"another model is called {found.checkpoint.name} too; rename its folder")
        cuts.append(found)
    cache = DigestCache(options.cache)
    modules = [module for found in cuts for module in found.modules]
    try:
        for module in track(modules, "digesting"):
            for tensor in module.tensors.values():
                cache.tensor(tensor)
        shared = shared_modules(modules, cache)
        alike = pairs(shared, cache)
    finally:
        cache.save()
    if options.table is not None:
        write_text(options.table, table(shared).to_csv(index=False, lineterminator="\n"))
    return Found(tuple(cuts), tuple(shared), tuple(alike))


def table(shared: list[Shared]) -> pd.DataFrame:
    """One row a module: its models, kind, digest, parameters, bytes, and the bytes saved."""
    return pd.DataFrame(
        [
            {
                "module": each.module.name,
                "kind": each.module.kind,
                "models": " ".join(member.model for member in each.members),
                "digest": each.digest,
                "dtype": "/".join(DTYPE_NAMES.get(d, d.lower()) for d in each.module.dtypes),
                "parameters": each.module.parameters,
                "bytes": each.module.bytes,
                "saved_bytes": each.saved_bytes,
            }
            for each in shared
        ]
    )


def show(found: Found) -> None:
    """Print a line a module, shared ones first, what is alike, and the sum."""
    ordered = sorted(found.shared, key=lambda each: -each.saved_bytes)
    width = max(len(each.module.name) for each in ordered)
    for each in ordered:
        models = ", ".join(member.model for member in each.members)
        saved = f", {each.saved_bytes / 1e6:,.1f} MB saved" if each.saved_bytes else ""
        typer.echo(
            f"{each.digest[:8]} {each.module.name:{width}}  {each.module.bytes / 1e6:,.1f} MB of {models}{saved}"
        )
    for pair in found.pairs:
        typer.echo(in_words(pair))
    share = found.saved_bytes / found.bytes if found.bytes else 0
    typer.echo(
        f"{len(found.cuts)} models of {found.bytes / 1e6:,.1f} MB have {len(found.shared)} different modules: sharing "
        f"saves {found.saved_bytes / 1e6:,.1f} MB ({share:.1%})"
    )


def in_words(pair: Pair) -> str:
    """A line on two modules of one architecture."""
    named = f"{pair.first.model}'s and {pair.second.model}'s {pair.first.name}"
    if pair.first.name != pair.second.name:
        named = f"{pair.first.model}'s {pair.first.name} and {pair.second.model}'s {pair.second.name}"
    match pair.relation:
        case "equal after rounding":
            return f"{named} are equal after rounding {pair.note}; not shared by itself"
        case "computes otherwise":
            return f"{named} have equal tensors and compute otherwise ({pair.note}); not shared"
    most = ", ".join(f"{name} {distance:.1%}" for name, distance in pair.layers[:2])
    kind = "are similar" if pair.relation == "similar" else "are of one architecture and have other values"
    return f"{named} {kind}: {pair.distance:.1%} apart (most: {most}); not shared by itself"
