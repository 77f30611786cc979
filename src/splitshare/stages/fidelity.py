"""Replay the same requests emulated and simulated; tables into the directory OUTPUT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import typer

from splitshare.commands.fidelity import Options
from splitshare.errors import InputError, WorkError
from splitshare.layout import placement_file
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import Evaluation
from splitshare.placement.pairs import read_replayable
from splitshare.profiling.machine import usable_threads
from splitshare.records import nearest
from splitshare.replay.batching import read_batching
from splitshare.replay.emulator.causes import causes_table, computing_table, with_computing
from splitshare.replay.emulator.compute import ComputeKind
from splitshare.replay.emulator.emulate import Emulated, EmulationOptions, measure, replay
from splitshare.replay.emulator.faults import Fault
from splitshare.replay.emulator.fidelity import busiest_demand_s, compare, idle_trace, measured_overheads
from splitshare.replay.emulator.link_check import LinkMeasurement
from splitshare.replay.emulator.network import Testbed, WorkerSetup
from splitshare.replay.emulator.program import build_program
from splitshare.replay.emulator.testbed import open_testbed
from splitshare.replay.generators import poisson_trace
from splitshare.replay.plan import Overheads
from splitshare.replay.result import ReplayResult
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace
from splitshare.results.provenance import provenance
from splitshare.results.write import write_csv

IDLE_ROUNDS: dict[ComputeKind, int] = {"recorded": 3, "real": 7}
"""Idle requests of each class; real modules vary."""
WARM_UP_ROUNDS = 2
"""Requests of each class before anything is measured of real modules, which take longer the first time."""
CRASH_REQUESTS = 40
"""Requests of the run in which a device is killed, the first ones of the trace."""
IN_FLIGHT_S = 0.05
"""How long after the arrival of a request a device is killed: the request is on its way."""


@dataclass(frozen=True)
class _Case:
    """What is to be emulated."""

    instance: PlacementInstance
    assignment: Assignment
    worth: Evaluation
    options: EmulationOptions
    """With the batches of this instance."""


@dataclass(frozen=True)
class _Measured:
    """One instance, emulated."""

    case: _Case
    links: list[LinkMeasurement]
    alone: RequestTrace
    idle: Emulated
    host: PlacementInstance
    """The instance with what its modules take here, alone; the instance itself where they are recorded."""
    overheads: Overheads
    rate_per_s: float
    trace: RequestTrace
    runs: list[Emulated]

    @property
    def requests(self) -> list[pd.DataFrame]:
        """The requests table of each run."""
        return [emulated.result.requests for emulated in self.runs]


def run(options: Options, echo: Callable[[str], None] = typer.echo) -> None:
    """Compare emulated with simulated replays.

    Writes ``fidelity.csv`` (``fidelity.compare`` of each instance, with the measured overheads), ``links.csv``
    (configured and measured), ``timeline.csv`` (stages of the last instance's idle requests, emulated and simulated)
    and, where a device is to crash, ``recovery.csv`` (its requests) and ``recoveries.csv`` into ``output``; with real
    modules also ``causes.csv`` (``causes.causes_table``) and ``computing.csv`` (``causes.computing_table``).

    Raises:
        InputError: a file is wrong.
        WorkError: an emulation failed.
    """
    if options.compute == "real" and options.max_batch > 1:
        problem = "what real modules take in batches is not told apart; leave it out, or give --compute recorded"
        raise InputError("--max-batch", str(options.max_batch), problem)
    facts = {key: value for key, value in provenance().items() if key in {"machine", "date", "revision"}}
    told = {"load": options.load, "network": options.network, "max_batch": options.max_batch, **facts}
    tables: dict[str, list[pd.DataFrame]] = {"fidelity": [], "links": []}
    if options.compute == "real":
        tables |= {"causes": [], "computing": []}
    cases = [_read(path, options) for path in options.instances]
    last = cases[-1].instance
    if options.crash is not None and options.crash not in last.devices_by_name:
        hint = nearest(options.crash, list(last.devices_by_name))
        raise InputError("--crash", options.crash, f"{last.name} has no such device; {hint}")
    for case in cases:
        measured = _measure(case, options, echo)
        for key, table in _tables(measured, options, echo).items():
            table.insert(0, "instance", case.instance.name)
            table.insert(1, "method", options.method)
            tables[key].append(table if key == "links" else table.assign(**told))
    for key, parts in tables.items():
        write_csv(pd.concat(parts, ignore_index=True), options.output / f"{key}.csv")
    simulated = simulate(case.instance, case.worth.routes, measured.alone, batching=case.options.batching)
    write_csv(_both(measured.idle.result, simulated), options.output / "timeline.csv")
    if options.crash is not None:
        crashes = [_crash(measured, options, number, echo) for number in range(options.crashes)]
        _write_recovery(crashes, last.name, facts, options.output)


def _testbed(
    instance: PlacementInstance, options: Options, echo: Callable[[str], None]
) -> AbstractContextManager[Testbed]:
    setup = WorkerSetup(compute=options.compute, catalog_root=options.catalog_root)
    return open_testbed(instance, setup, network=options.network, link_model="serial", echo=echo)


def _read(instance_file: Path, options: Options) -> _Case:
    """Read what one instance needs; what cannot be carried out is refused before anything is started."""
    placement = placement_file(options.placements, options.method, instance_file)
    instance, assignment, worth = read_replayable(instance_file, placement)
    curves = options.batch_curves / instance_file.name if options.batch_curves else None
    batching = read_batching(curves, options.max_batch, instance, needed=True)
    build_program(instance, worth.routes, assignment, epoch=1, batching=batching, source=placement)
    return _Case(instance, assignment, worth, EmulationOptions(any_links=options.any_links, batching=batching))


def _measure(case: _Case, options: Options, echo: Callable[[str], None]) -> _Measured:
    """Emulate idle requests, then the trace as often as it is to be repeated."""
    instance, worth = case.instance, case.worth
    real = options.compute == "real"
    with _testbed(instance, options, echo) as testbed:

        def emulate(trace: RequestTrace) -> Emulated:
            return replay(instance, case.assignment, trace, testbed, options=case.options)

        links = measure(instance, testbed, echo, any_links=case.options.any_links)
        latency_s = worth.latency_s
        if real:
            first = _unharmed(emulate(idle_trace(instance, latency_s, WARM_UP_ROUNDS))).result.requests
            slowest_s = first.groupby(first["request"].astype(str))["latency_s"].max()
            latency_s = {name: float(slowest_s[name]) for name in latency_s}
        alone = idle_trace(instance, latency_s, IDLE_ROUNDS[options.compute])
        idle = _unharmed(emulate(alone))
        host = with_computing(instance, computing_table(idle.runs, idle.runs), "held_s") if real else instance
        rate_per_s = options.load / busiest_demand_s(host, worth.routes)
        count = max(options.requests * len(instance.requests), options.least_requests)
        trace = poisson_trace(instance, rate_per_s, requests=count, seed=options.seed)
        echo(f"{instance.name}: {len(trace)} requests at {rate_per_s:.3g} a second, {options.repeats} times")
        runs = [emulate(trace) for _ in range(options.repeats)]
    overheads = measured_overheads(host, worth.routes, alone, idle.result.stages, idle.runs, case.options.batching)
    return _Measured(case, links, alone, idle, host, overheads, rate_per_s=rate_per_s, trace=trace, runs=runs)


def _unharmed(emulated: Emulated) -> Emulated:
    """What idle requests took says something only if none was lost.

    Raises:
        WorkError: one was, and why.
    """
    for reason, count in emulated.reasons.items():
        raise WorkError(f"{count} requests were lost on an idle system: {reason}")
    return emulated


def _tables(measured: _Measured, options: Options, echo: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """The tables of one instance by file name, and their means told."""
    case, overheads = measured.case, measured.overheads
    instance, routes = case.instance, case.worth.routes
    table = compare(
        instance,
        routes,
        measured.trace,
        measured.requests,
        overheads,
        latency_s=case.worth.latency_s,
        batching=case.options.batching,
    )
    table["message_s"], table["run_s"] = overheads.message_s, overheads.run_s
    tables = {"fidelity": table, "links": pd.DataFrame([vars(link) for link in measured.links])}
    shown = table[table["metric"] == "mean_s"]
    if options.compute == "real":
        replayed = pd.concat([emulated.runs for emulated in measured.runs], ignore_index=True)
        computing = computing_table(measured.idle.runs, replayed)
        shown = causes_table(instance, routes, measured.trace, measured.requests, overheads, computing)
        cores = usable_threads()
        tables["causes"] = shown.assign(rate_per_s=measured.rate_per_s, workers=len(instance.devices), cores=cores)
        tables["computing"] = computing
    echo(shown.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    return tables


def _crash(measured: _Measured, options: Options, number: int, echo: Callable[[str], None]) -> Emulated:
    """Kill a device a third into a trace of its own seed, while a request is in flight."""
    case = measured.case
    instance = case.instance
    count = min(len(measured.trace), CRASH_REQUESTS)
    trace = poisson_trace(instance, measured.rate_per_s, requests=count, seed=options.seed + number)
    with _testbed(instance, options, echo) as testbed:
        measure(instance, testbed, echo, any_links=case.options.any_links)
        return replay(
            instance,
            case.assignment,
            trace,
            testbed,
            options=replace(case.options, replace_with="s2m3-greedy"),
            faults=[Fault("kill", (str(options.crash),), float(trace.arrival_s[count // 3]) + IN_FLIGHT_S)],
        )


def _both(emulated: ReplayResult, simulated: ReplayResult) -> pd.DataFrame:
    """Stages of an emulated and of a simulated replay of one trace, one after the other."""
    return pd.concat(
        [emulated.stages.assign(replay="emulated"), simulated.stages.assign(replay="simulated")], ignore_index=True
    )


def _write_recovery(crashes: Sequence[Emulated], instance: str, facts: dict[str, str], output: Path) -> None:
    """Requests and recoveries of every crash, by its number."""
    requests, recoveries = [], []
    for number, broken in enumerate(crashes):
        requests.append(broken.result.requests.assign(instance=instance, crash=number))
        counts = {f"{status}_requests": count for status, count in broken.counts.items()}
        found = pd.DataFrame([vars(recovery) for recovery in broken.recoveries])
        recoveries.append(found.assign(instance=instance, crash=number, **counts, **facts))
    write_csv(pd.concat(requests, ignore_index=True), output / "recovery.csv")
    write_csv(pd.concat(recoveries, ignore_index=True), output / "recoveries.csv")
