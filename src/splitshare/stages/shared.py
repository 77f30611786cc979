"""Find the modules that models have in common."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from splitshare.catalog.testbeds import models_memory_bytes, profile_file, read_testbed
from splitshare.checkpoints.chain import effect
from splitshare.checkpoints.cut import Cut, cut, uncut
from splitshare.checkpoints.digest import DigestCache, module_digest
from splitshare.checkpoints.families import Family, load_families
from splitshare.checkpoints.fitting import Held, held, least_memory
from splitshare.checkpoints.sharing import Pair, Shared, pairs, shared_modules, with_similar
from splitshare.checkpoints.sizes import bytes_in_words
from splitshare.checkpoints.source import load_checkpoint, quiet_library
from splitshare.checkpoints.tensors import DTYPE_NAMES
from splitshare.commands.shared import Options
from splitshare.errors import InputError, WorkError
from splitshare.files import write_text
from splitshare.modules.hub_pins import Pins
from splitshare.profiling.records import ModuleProfile
from splitshare.progress import track

if TYPE_CHECKING:
    import pandas as pd

MOST_THREADS = 8
"""Each holds a block of values."""


@dataclass(frozen=True)
class Found:
    """What models have in common, and what is alike."""

    cuts: tuple[Cut, ...]
    shared: tuple[Shared, ...]
    pairs: tuple[Pair, ...]
    held: tuple[Held, ...] = ()
    """On a testbed, if one was asked about."""
    on_demand: bool = False
    """Whether similar modules are shared."""
    effects: tuple[str, ...] = ()
    """What sharing similar modules does, a line a model."""
    notes: tuple[str, ...] = ()
    """On models that cannot be split."""

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
    """
    quiet_library()
    if options.graph is not None:
        # Imported where it is wanted: the drawing library takes a fifth of all the memory that digesting needs.
        from splitshare.stages.shared_graph import check_format

        check_format(options.graph)
    capacities = _capacities(options.testbed) if options.testbed is not None else None
    families = load_families(options.catalog_root)
    pins = Pins(options.pins)
    cuts: list[Cut] = []
    notes: list[str] = []
    for model in options.models:
        checkpoint = load_checkpoint(model, pins)
        try:
            found = cut(checkpoint, families)
        except WorkError as error:  # then it is there, and shares nothing of itself
            found = uncut(checkpoint)
            notes.append(f"{error}; it counts as one module")
        if any(found.checkpoint.name == other.checkpoint.name for other in cuts):
            raise InputError(model, "", f"another model is called {found.checkpoint.name} too; rename its folder")
        cuts.append(found)
    cache = DigestCache(options.cache)
    modules = [module for found in cuts for module in found.modules]
    try:
        tensors = [tensor for module in modules for tensor in module.tensors.values()]
        # Hashing lets go of the interpreter, so that several threads read and hash at once.
        with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
            for _ in track(pool.map(cache.tensor, tensors), "digesting", total=len(tensors)):
                pass
        shared = shared_modules(modules, cache)
        alike = pairs(shared, cache)
        effects: list[str] = []
        if options.share_similar:
            shared = with_similar(shared, alike)
            effects = list(_effects(cuts, shared, cache, families))
    finally:
        cache.save()
    if options.table is not None:
        write_text(options.table, table(shared).to_csv(index=False, lineterminator="\n"))
    if options.graph is not None:
        from splitshare.stages.shared_graph import draw

        draw(shared, options.graph)
    on_testbed = tuple(held(shared, capacities)) if capacities is not None else ()
    return Found(
        tuple(cuts), tuple(shared), tuple(alike), on_testbed, options.share_similar, tuple(effects), tuple(notes)
    )


def _effects(
    cuts: list[Cut], shared: list[Shared], cache: DigestCache, families: Mapping[str, Family]
) -> Iterator[str]:
    """A line for every model that is given another one's module: what that does to its answers."""
    by_name = {found.checkpoint.name: found for found in cuts}
    for each in shared:
        first = module_digest(each.module, cache)
        for member in each.members[1:]:
            if module_digest(member, cache) == first:
                continue
            told = f"{member.model} with {each.module.model}'s {each.module.name}"
            try:
                found = effect(by_name[member.model], member.name, each.module, families)
            except WorkError as error:
                yield f"{told}: what that does is not known ({error})"
                continue
            yield (
                f"{told}: answers to seeded requests {100 * found.distance:.2g} % away, {found.other_choices} of "
                f"{found.choices} choices otherwise"
            )


def _capacities(path: Path) -> dict[str, float]:
    """Bytes for weights of a testbed's devices, by name.

    Raises:
        InputError: the testbed is wrong, or nobody knows a device's memory.
    """
    found: dict[str, float] = {}
    for i, device in enumerate(read_testbed(path).devices):
        profile = profile_file(device.device_type)
        if device.models_memory_bytes is None and not profile.is_file():
            told = f"is left out, and {device.device_type!r} has no profile that says its memory; write it"
            raise InputError(path, f"devices[{i}].models_memory_bytes", told)
        memory = ModuleProfile.read(profile).device.memory_bytes if device.models_memory_bytes is None else 0.0
        found[device.name] = models_memory_bytes(device, memory)
    return found


def table(shared: list[Shared]) -> pd.DataFrame:
    """One row a module: its models, kind, digest, parameters, bytes, and the bytes saved."""
    import pandas as pd  # here: a table that nobody asked for should take no memory

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
        saved = f", {bytes_in_words(each.saved_bytes)} saved" if each.saved_bytes else ""
        typer.echo(
            f"{each.digest[:8]} {each.module.name:{width}}  {bytes_in_words(each.module.bytes)} of {models}{saved}"
        )
    for pair in found.pairs:
        typer.echo(in_words(pair, on_demand=found.on_demand))
    for line in (*found.effects, *found.notes):
        typer.echo(line)
    for least in least_memory(found.shared):
        typer.echo(
            f"{least.model} needs a device of {bytes_in_words(least.whole_bytes)} whole, "
            f"of {bytes_in_words(least.split_bytes)} split (its {least.module})"
        )
    for each_way in found.held:
        typer.echo(_on_testbed(each_way))
    share = found.saved_bytes / found.bytes if found.bytes else 0
    typer.echo(
        f"{len(found.cuts)} models of {bytes_in_words(found.bytes)} have {len(found.shared)} different modules: "
        f"sharing saves {bytes_in_words(found.saved_bytes)} ({share:.1%})"
    )


def _on_testbed(found: Held) -> str:
    if found.devices is None:
        return f"{found.arrangement}: {bytes_in_words(found.bytes)} do not fit on all devices together"
    parts = "; ".join(f"{device} {', '.join(items)}" for device, items in found.devices.items())
    count = len(found.devices)
    return f"{found.arrangement}: {bytes_in_words(found.bytes)} on {count} device{'' if count == 1 else 's'}: {parts}"


def in_words(pair: Pair, *, on_demand: bool = False) -> str:
    """A line on two modules of one architecture; ``on_demand``, similar ones are shared."""
    shared = "shared on demand" if on_demand else "not shared by itself"
    named = f"{pair.first.model}'s and {pair.second.model}'s {pair.first.name}"
    if pair.first.name != pair.second.name:
        named = f"{pair.first.model}'s {pair.first.name} and {pair.second.model}'s {pair.second.name}"
    match pair.relation:
        case "equal after rounding":
            return f"{named} are equal after rounding {pair.note}; {shared}"
        case "computes otherwise":
            return f"{named} have equal tensors and compute otherwise ({pair.note}); not shared"
    most = ", ".join(f"{name} {distance:.1%}" for name, distance in pair.layers[:2])
    kind = "are similar" if pair.relation == "similar" else "are of one architecture and have other values"
    shared = shared if pair.relation == "similar" else "not shared"
    return f"{named} {kind}: {pair.distance:.1%} apart (most: {most}); {shared}"
