"""Load placements from idle to saturation, seed by seed: a part of a sweep, into the directory OUTPUT."""

from __future__ import annotations

import pandas as pd

from splitshare.commands.load_sweep import Options
from splitshare.errors import InputError
from splitshare.layout import placement_file
from splitshare.placement.objective import evaluate
from splitshare.placement.pairs import read_base_pair
from splitshare.placement.variants import apply_variant
from splitshare.progress import track
from splitshare.replay.capacity import LoadedSystem
from splitshare.replay.generators import poisson_trace
from splitshare.replay.load_sweep import KEYS, Asked, empty_table, sweep_seeds
from splitshare.results.write import write_parquet
from splitshare.stages.kinds import chosen


def run(options: Options) -> None:
    """Replay Poisson requests on ``placements/<method>/<instance file name>`` at every rate, and find knees.

    Writes ``points``, ``knees``, ``latencies`` and ``utilisation`` (Parquet, ``splitshare.replay.load_sweep``), with
    the columns ``instance`` and ``method`` before all others. A method that places nothing has no rows.

    Raises:
        InputError: a file or an option is wrong, or the reference places nothing.
        WorkError: no rate is too high for a placement.
    """
    chosen("--share", options.shares, options.shares)
    chosen("--method", options.methods, options.methods)
    for i, share in enumerate(options.latencies_at):
        if share not in options.shares:
            raise InputError("--latencies-at", "", f"{share:g} is none of the shares; add --share {share:g}")
        if share in options.latencies_at[:i]:
            raise InputError("--latencies-at", "", f"{share:g} is there twice; give it once")
    reference = _system(options, options.reference)
    if reference is None:
        raise InputError(
            "--reference", "", f"{options.reference} places nothing, so that there are no rates and limits"
        )
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in KEYS}
    asked = Asked(options.attainment, reference.expected.holds_per_s, options.shares, options.latencies_at)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for method in track(options.methods, "loading placements"):
        system = _system(options, method, reference.idle_s)
        if system is None:
            continue
        for name, table in sweep_seeds(system, asked, seeds).items():
            table.insert(0, "instance", system.instance.name)
            table.insert(1, "method", method)
            found[name].append(table)
    for name, parts in found.items():
        table = pd.concat(parts, ignore_index=True) if parts else empty_table(name, ("instance", "method"))
        write_parquet(table, options.output / f"{name}.parquet")


def _system(options: Options, method: str, reference_s: dict[str, float] | None = None) -> LoadedSystem | None:
    """A method's placement; ``None`` if it places nothing."""
    placement = placement_file(options.placements, method, options.instance)
    base, placed = read_base_pair(options.instance, placement)
    if placed.assignment is None:
        return None
    instance = apply_variant(base, placed.variant)
    return LoadedSystem(
        instance,
        evaluate(instance, placed.assignment).routes,
        lambda rate, seed: poisson_trace(instance, rate, requests=options.requests, seed=seed),
        options.limit_factor,
        options.link_model,
        reference_s,
    )
