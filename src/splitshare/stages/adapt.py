"""Re-place modules as devices, rates and links change, by several policies, and tell what each costs."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import typer

from splitshare.adaptation.policies import Anew, Policy, Repair, Stay, Worth, first_placement
from splitshare.adaptation.replay import Replayable, replayable
from splitshare.adaptation.run import Lived, live, over_time, summary
from splitshare.adaptation.steps import Rules
from splitshare.adaptation.timeline import Event, Span, read_events, spans
from splitshare.commands.adapt import Options
from splitshare.errors import InputError, WorkError
from splitshare.placement.contract import PlacementAlgorithm, load
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.objective import Evaluation, evaluate
from splitshare.placement.pairs import read_replayable
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.records import Versions, nearest
from splitshare.replay.link_changes import LinkChanges, read_link_changes
from splitshare.replay.metrics import percentile
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace, read_trace, write_trace
from splitshare.results.write import write_csv
from splitshare.stages.kinds import chosen
from splitshare.version import __version__


def run(options: Options) -> pd.DataFrame:
    """Live through the changes with each policy.

    Writes ``policies.csv`` (``splitshare.adaptation.run.summary``, and of a trace what its replay gives) and
    ``over_time.csv``; of a trace also ``replay/POLICY/``: ``instance.json``, ``placement.json`` and ``trace.parquet``,
    which `simulate` and `emulate` take.

    Raises:
        InputError: a file or an option is wrong, or the instance has what is not looked at here (replicas).
        WorkError: there is no placement to begin with, or the trace goes on after the horizon.
    """
    instance = PlacementInstance.read(options.instance)
    if instance.replication:
        raise InputError(options.instance, "replication", "must be false: moving is of modules that stand once")
    events = () if options.events is None else read_events(options.events, instance)
    changes = None if options.link_changes is None else read_link_changes(options.link_changes, instance)
    trace = None if options.trace is None else read_trace(options.trace, instance)
    timeline = spans(instance, events, changes, options.horizon_s)
    rules = Rules(_store(options, instance, events), options.load_bytes_per_s, options.unserved_s, options.s_per_gb)
    algorithm = load(options.algorithm)
    home = _home(options, instance, algorithm)
    policies = _policies(options, algorithm, home)
    lived = live(instance, timeline, home, policies, rules)
    table = summary(lived, rules)
    if trace is not None:
        table = table.merge(_replayed(options, instance, timeline, lived, trace, changes), on="policy")
    write_csv(table, options.output / "policies.csv")
    write_csv(over_time(lived, timeline), options.output / "over_time.csv")
    if options.plot is not None:
        _draw(over_time(lived, timeline), options.plot)
    return table


def show(table: pd.DataFrame) -> None:
    """A row a policy."""
    short = table.assign(moved_gb=table["moved_bytes"] / 1e9).drop(columns=["moved_bytes", "decide_mean_s"])
    typer.echo(short.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def _store(options: Options, instance: PlacementInstance, events: Sequence[Event]) -> str:
    names = [device.name for device in instance.devices]
    leaving = {event.name for event in events if event.what == "leaves" and event.time_s < options.horizon_s}
    if options.store is not None:
        if options.store not in names:
            problem = f"is no device of {instance.name}; {nearest(options.store, names)}"
            raise InputError("--store", options.store, problem)
        if options.store in leaving:
            raise InputError("--store", options.store, "leaves; name a device that stays")
        return options.store
    staying = [device for device in instance.devices if device.name not in leaving]
    if not staying:
        raise InputError("--events", "", "every device leaves at some time, and modules must be kept on one that stays")
    return max(staying, key=lambda device: device.memory_bytes).name


def _home(options: Options, instance: PlacementInstance, algorithm: PlacementAlgorithm) -> dict[str, str]:
    if options.placement is not None:
        placed, assignment, _ = read_replayable(options.instance, options.placement)
        if placed.sha256() != instance.sha256():
            raise InputError(options.placement, "variant", "is of another form of the instance; solve it without one")
        return first_placement(assignment)
    found = solve(instance, algorithm, seed=options.seed, time_limit_s=options.time_limit_s)
    if found.assignment is None:
        raise WorkError(f"{instance.name}: {algorithm.name} finds no placement to begin with ({found.status})")
    return first_placement(found.assignment)


def _policies(options: Options, algorithm: PlacementAlgorithm, home: dict[str, str]) -> list[Policy]:
    known: dict[str, Policy] = {
        "stay": Stay(home),
        "repair": Repair(),
        "anew": Anew(algorithm, options.seed, options.time_limit_s),
        "worth": Worth(algorithm, options.seed, options.time_limit_s, options.expect_s),
    }
    return [known[name] for name in chosen("--policy", options.policies, list(known))]


def _replayed(
    options: Options,
    instance: PlacementInstance,
    timeline: Sequence[Span],
    lived: Sequence[Lived],
    trace: RequestTrace,
    changes: LinkChanges | None,
) -> pd.DataFrame:
    """Write what each policy did, and simulate it: ``policy, replayed_mean_s, replayed_p95_s, replayed_unserved``."""
    rows = []
    for one in track(list(lived), "replaying", total=len(lived)):
        asked = replayable(instance, timeline, one, trace)
        if asked is None:
            nothing = {"replayed_mean_s": math.nan, "replayed_p95_s": math.nan, "replayed_unserved": 1.0}
            rows.append({"policy": one.policy} | nothing)
            continue
        worth = evaluate(asked.instance, asked.assignment)
        _write(options.output / "replay" / one.policy, one.policy, asked, worth)
        done = simulate(asked.instance, worth.routes, asked.trace, keep_stages=False, changes=changes).requests
        latency_s = done.loc[~done["request"].isin(asked.moves), "latency_s"].sort_values().to_numpy()
        rows.append(
            {
                "policy": one.policy,
                "replayed_mean_s": float(latency_s.mean()),
                "replayed_p95_s": percentile(latency_s, 95),
                "replayed_unserved": asked.unserved / len(trace),
            }
        )
    return pd.DataFrame(rows)


def _write(folder: Path, policy: str, asked: Replayable, worth: Evaluation) -> None:
    asked.instance.write(folder / "instance.json")
    Placement(
        schema_="splitshare.placement/1",
        instance_sha256=asked.instance.sha256(),
        algorithm=f"adapt-{policy}",
        status="feasible",
        assignment=asked.assignment,
        objective=worth.objective,
        bound=None,
        build_s=0.0,
        solve_s=0.0,
        versions=Versions(splitshare=__version__, python=platform.python_version(), solver=None),
    ).write(folder / "placement.json")
    write_trace(asked.trace, folder / "trace.parquet")


def _draw(table: pd.DataFrame, folder: Path) -> None:
    from splitshare.figures.adaptation_plot import ADAPTATION, adaptation_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    with paper_style():
        save_figure(adaptation_figure(table), folder, ADAPTATION)
