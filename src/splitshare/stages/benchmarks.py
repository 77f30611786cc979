"""Fetch benchmarks from the hub into the directory OUTPUT; run again to go on after a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import typer

from splitshare.benchmarks.lock import LockEntry, Selection, read_lock, write_entry
from splitshare.catalog import paths
from splitshare.catalog.benchmarks import BenchmarkSource, load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.choices import BenchmarkPart
from splitshare.commands.arguments import tell_of_failure
from splitshare.commands.benchmarks import Options
from splitshare.errors import InputError, WorkError
from splitshare.records import nearest

LOCK = "benchmarks.lock.json"
PARTS: tuple[BenchmarkPart, ...] = get_args(BenchmarkPart)


def run(options: Options, echo: Callable[[str], None] = tell_of_failure) -> Iterator[LockEntry]:
    """Fetch benchmarks, one after the other; one that fails is told of and the others go on.

    Yields:
        What was fetched, as soon as it is.

    Raises:
        InputError: the catalogue is wrong or has no such benchmark.
        WorkError: at the end, if a benchmark could not be fetched.
    """
    from splitshare.benchmarks.fetch import fetch  # the hub's client, slow to import
    from splitshare.benchmarks.hub import explain

    catalog = load_catalog(options.catalog_root)
    sources = load_benchmarks(options.catalog_root, catalog.benchmarks)
    chosen = (
        [_source(sources, name, options.catalog_root) for name in options.names]
        if options.names
        else list(sources.values())
    )
    lock = options.lock or options.output / LOCK
    fetched = 0
    failed: list[str] = []
    for source in chosen:
        for part in PARTS if options.part == "both" else (options.part,):
            split = source.test if part == "test" else source.train
            if split is None:
                continue
            selection = Selection(
                benchmark=source.name, part=part, source=split, samples=options.samples, seed=options.seed
            )
            try:
                entry = fetch(
                    selection,
                    options.output,
                    read_lock(lock).find(selection),
                    catalog.benchmarks[source.name].classes,
                )
            except Exception as error:  # whatever one data set does, the others go on; each is told of in one line
                failed.append(f"{source.name} ({part})")
                echo(f"{source.name} ({part}): {explain(error, split)}")
                continue
            write_entry(lock, entry)
            fetched += 1
            yield entry
    if failed:
        raise WorkError(f"{len(failed)} of {len(failed) + fetched} not fetched: {', '.join(failed)}")


def show(entry: LockEntry) -> None:
    """Print what was fetched."""
    typer.echo(f"{entry.selection.directory}: {entry.rows} samples, {entry.content_sha256}")


def _source(sources: dict[str, BenchmarkSource], name: str, root: Path) -> BenchmarkSource:
    if name not in sources:
        raise InputError(paths.benchmarks_file(root), "", f"no benchmark {name!r}; {nearest(name, list(sources))}")
    return sources[name]
