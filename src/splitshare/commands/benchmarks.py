"""``splitshare benchmarks``: fetch the benchmarks' samples from the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from splitshare.benchmarks.lock import LockEntry, Part, Selection, read_lock, write_entry
from splitshare.catalog import paths
from splitshare.catalog.benchmarks import BenchmarkSource, load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.errors import InputError, WorkError
from splitshare.records import nearest

LOCK = "benchmarks.lock.json"


def run(
    *,
    catalog_root: Path,
    output: Path,
    names: Sequence[str] | None,
    parts: Sequence[Part],
    samples: int | None,
    seed: int,
    tell: Callable[[str], None],
    lock: Path | None = None,
) -> Iterator[LockEntry]:
    """Fetch benchmarks, one after the other; one that fails is told of and the others go on.

    Args:
        catalog_root: the data folder.
        output: directory of all benchmarks.
        names: which; by default all of the catalogue.
        parts: test, train or both; a benchmark without a train split has only the first.
        samples: how many of each, drawn by the seed; None for whole splits.
        seed: of the draw.
        tell: is given a line for each benchmark that could not be fetched.
        lock: file of digests; by default ``benchmarks.lock.json`` in ``output``.

    Yields:
        What was fetched, as soon as it is.

    Raises:
        InputError: the catalogue is wrong or has no such benchmark.
        WorkError: at the end, if a benchmark could not be fetched.
    """
    from splitshare.benchmarks.fetch import fetch  # the hub's client, slow to import
    from splitshare.benchmarks.hub import explain

    catalog = load_catalog(catalog_root)
    sources = load_benchmarks(catalog_root, catalog.benchmarks)
    chosen = [_source(sources, name, catalog_root) for name in names] if names else list(sources.values())
    lock = lock or output / LOCK
    fetched = 0
    failed: list[str] = []
    for source in chosen:
        for part in parts:
            split = source.test if part == "test" else source.train
            if split is None:
                continue
            selection = Selection(benchmark=source.name, part=part, source=split, samples=samples, seed=seed)
            try:
                entry = fetch(
                    selection, output, read_lock(lock).find(selection), catalog.benchmarks[source.name].classes
                )
            except Exception as error:  # whatever one data set does, the others go on; each is told of in one line
                failed.append(f"{source.name} ({part})")
                tell(f"{source.name} ({part}): {explain(error, split)}")
                continue
            write_entry(lock, entry)
            fetched += 1
            yield entry
    if failed:
        raise WorkError(f"{len(failed)} of {len(failed) + fetched} not fetched: {', '.join(failed)}")


def _source(sources: dict[str, BenchmarkSource], name: str, root: Path) -> BenchmarkSource:
    if name not in sources:
        raise InputError(paths.benchmarks_file(root), "", f"no benchmark {name!r}; {nearest(name, list(sources))}")
    return sources[name]
