"""Fetch benchmarks from the hub into the directory OUTPUT; run again to go on after a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pandas as pd
import typer

from splitshare.benchmarks.lock import LockEntry, Selection, read_lock, write_entry
from splitshare.catalog import paths
from splitshare.catalog.benchmarks import BenchmarkSource, load_benchmarks
from splitshare.catalog.hub import HubFile
from splitshare.catalog.loader import load_catalog
from splitshare.choices import BenchmarkPart
from splitshare.commands.arguments import tell_of_failure
from splitshare.commands.benchmarks import Options
from splitshare.errors import InputError, WorkError
from splitshare.files import write_text
from splitshare.records import nearest

if TYPE_CHECKING:
    from splitshare.benchmarks.check import Found
    from splitshare.modules.hub_pins import Pins

LOCK = "benchmarks.lock.json"
PARTS: tuple[BenchmarkPart, ...] = get_args(BenchmarkPart)


def run(options: Options, echo: Callable[[str], None] = tell_of_failure) -> Iterator[LockEntry | Found]:
    """Fetch benchmarks, one after the other; one that fails is told of and the others go on.

    With ``check`` nothing is fetched: the hub is asked for every repository of the catalogue, weights included.

    Yields:
        What was fetched, or found, as soon as it is.

    Raises:
        InputError: the catalogue is wrong or has no such benchmark.
        WorkError: at the end, if a benchmark could not be fetched, or a repository not be found.
    """
    from splitshare.benchmarks.fetch import fetch  # the hub's client, slow to import
    from splitshare.benchmarks.hub import explain
    from splitshare.modules.hub_pins import Pins

    catalog = load_catalog(options.catalog_root)
    sources = load_benchmarks(options.catalog_root, catalog.benchmarks)
    chosen = (
        [_source(sources, name, options.catalog_root) for name in options.names]
        if options.names
        else list(sources.values())
    )
    pins = Pins(options.pins)
    lock = options.lock or options.output / LOCK
    if options.check:
        yield from _check(options, chosen, pins)
        return
    fetched = 0
    failed: list[str] = []
    for source in chosen:
        for part in PARTS if options.part == "both" else (options.part,):
            split = source.test if part == "test" else source.train
            if split is None:
                continue
            try:
                revision = pins.revision("dataset", split.dataset, split.revision)
                split = split.model_copy(update={"revision": revision})
                selection = Selection(
                    benchmark=source.name,
                    part=part,
                    source=split,
                    samples=options.samples,
                    seed=options.seed,
                )
                entry = fetch(
                    selection,
                    options.output,
                    read_lock(lock).find(selection),
                    catalog.benchmarks[source.name].classes,
                )
            except Exception as error:  # noqa: BLE001 - whatever one data set does, the others go on; each is told of in one line
                failed.append(f"{source.name} ({part})")
                echo(f"{source.name} ({part}): {explain(error, split)}")
                continue
            write_entry(lock, entry)
            fetched += 1
            yield entry
    if failed:
        raise WorkError(f"{len(failed)} of {len(failed) + fetched} not fetched: {', '.join(failed)}")


def _check(options: Options, chosen: list[BenchmarkSource], pins: Pins) -> Iterator[Found]:
    from splitshare.benchmarks.check import check, repositories, to_fetch

    weights = {} if options.names else HubFile.read(paths.hub_file(options.catalog_root)).weights
    found: list[Found] = []
    sources = {source.name: source for source in chosen}
    for each in check(repositories(sources, weights), pins):
        found.append(each)
        yield each
    typer.echo(to_fetch(found, sources, options.samples))
    if options.table is not None:
        table = pd.DataFrame([asdict(each) for each in found]).astype({"size_bytes": "Int64"})
        write_text(options.table, table.to_csv(index=False, lineterminator="\n"))
    failed = [each.repository for each in found if each.problem]
    if failed:
        raise WorkError(f"{len(failed)} of {len(found)} not found: {', '.join(failed)}")


def show(entry: LockEntry | Found) -> None:
    """Print what was fetched, or found."""
    if not isinstance(entry, LockEntry):
        typer.echo(_line(entry))
        return
    typer.echo(f"{entry.selection.directory}: {entry.rows} samples, {entry.content_sha256}")


def _source(sources: dict[str, BenchmarkSource], name: str, root: Path) -> BenchmarkSource:
    if name not in sources:
        raise InputError(paths.benchmarks_file(root), "", f"no benchmark {name!r}; {nearest(name, list(sources))}")
    return sources[name]


def _line(found: Found) -> str:
    if found.problem:
        return f"{found.kind} {found.repository} ({found.names}): {found.problem}"
    size = "size unknown" if found.size_bytes is None else f"{found.size_bytes / 1e9:.2f} GB"
    licence = f"licence {found.licence}" if found.licence else "no licence told"
    told = [found.commit, size, licence, *(["gated"] if found.gated == "yes" else [])]
    told += [f"safetensors: {found.safetensors}"] if found.kind == "model" else []
    return f"{found.kind} {found.repository} ({found.names}): {', '.join(told)}"
