"""``splitshare fidelity``: the same requests through the emulator and the simulator."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from splitshare.commands.emulate import Network, open_testbed
from splitshare.commands.evaluate import read_replayable
from splitshare.errors import InputError, WorkError
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import Evaluation
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
from splitshare.replay.generators import poisson_trace
from splitshare.replay.plan import Overheads
from splitshare.replay.simulator import ReplayResult, simulate
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
class _Setting:
    """What holds for all instances of a campaign."""

    workers: WorkerSetup
    network: Network
    options: EmulationOptions
    load: float
    requests: int
    least_requests: int
    repeats: int
    seed: int
    max_batch: int
    batch_curves: Path | None
    tell: Callable[[str], None]


@dataclass(frozen=True)
class _Case:
    """What is to be emulated."""

    instance: PlacementInstance
    assignment: Assignment
    worth: Evaluation
    options: EmulationOptions
    """The setting's, with the batches of this instance."""


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


def run(
    instances: Sequence[Path],
    *,
    placements: Path,
    method: str,
    output: Path,
    network: Network,
    load: float,
    requests: int,
    least_requests: int,
    repeats: int,
    compute: ComputeKind,
    any_links: bool,
    seed: int,
    crash: str | None,
    max_batch: int,
    batch_curves: Path | None,
    catalog_root: Path,
    tell: Callable[[str], None],
) -> None:
    """Compare emulated with simulated replays.

    Writes ``fidelity.csv`` (``fidelity.compare`` of each instance, with the measured overheads), ``links.csv``
    (configured and measured), ``timeline.csv`` (stages of the last instance's idle requests, emulated and simulated)
    and, where a device is to crash, ``recovery.csv`` (its requests) and ``recoveries.csv`` into ``output``; with real
    modules also ``causes.csv`` (``causes.causes_table``) and ``computing.csv`` (``causes.computing_table``).

    Args:
        instances: instance files.
        placements: directory of ``<method>/<instance file name>``.
        method: whose placements are replayed.
        output: directory.
        network: ``proxy`` or ``namespaces``.
        load: utilisation of the busiest device or link that the trace is drawn for; of real modules as they are here.
        requests: requests of each trace, for each class of its instance.
        least_requests: requests of each trace at least.
        repeats: emulated runs of each trace.
        compute: ``recorded`` or ``real``.
        any_links: go on when links are not as configured.
        seed: of the traces.
        crash: device that is killed, in a further run of the last instance, a third into it.
        max_batch: requests' stages in a batch, of recorded modules.
        batch_curves: directory of ``<instance file name>``: what batches take; needed for batches.
        catalog_root: the data folder, for real modules.
        tell: takes lines for people.

    Raises:
        InputError: a file is wrong.
        WorkError: an emulation failed.
    """
    if compute == "real" and max_batch > 1:
        problem = "what real modules take in batches is not told apart; leave it out, or give --compute recorded"
        raise InputError("--max-batch", str(max_batch), problem)
    facts = {key: value for key, value in provenance().items() if key in {"machine", "date", "revision"}}
    setting = _Setting(
        WorkerSetup(compute=compute, catalog_root=catalog_root),
        network,
        EmulationOptions(any_links=any_links),
        load=load,
        requests=requests,
        least_requests=least_requests,
        repeats=repeats,
        seed=seed,
        max_batch=max_batch,
        batch_curves=batch_curves,
        tell=tell,
    )
    tables: dict[str, list[pd.DataFrame]] = {"fidelity": [], "links": []}
    if compute == "real":
        tables |= {"causes": [], "computing": []}
    cases = [_read(path, placements / method / path.name, setting) for path in instances]
    if crash is not None:
        known = list(cases[-1].instance.devices_by_name)
        if crash not in known:
            raise InputError("--crash", crash, f"{cases[-1].instance.name} has no such device; {nearest(crash, known)}")
    for case in cases:
        measured = _measure(case, setting)
        name = case.instance.name
        for key, table in _tables(measured, setting).items():
            table.insert(0, "instance", name)
            table.insert(1, "method", method)
            tables[key].append(
                table if key == "links" else table.assign(load=load, network=network, max_batch=max_batch, **facts)
            )
    for key, parts in tables.items():
        write_csv(pd.concat(parts, ignore_index=True), output / f"{key}.csv")
    simulated = simulate(case.instance, case.worth.routes, measured.alone, batching=case.options.batching)
    write_csv(_both(measured.idle.result, simulated), output / "timeline.csv")
    if crash is not None:
        _write_recovery(_crash(measured, crash, setting), name, facts, output)


def _testbed(instance: PlacementInstance, setting: _Setting) -> AbstractContextManager[Testbed]:
    return open_testbed(instance, setting.workers, network=setting.network, link_model="serial", tell=setting.tell)


def _read(instance_file: Path, placement: Path, setting: _Setting) -> _Case:
    """Read what one instance needs; what cannot be carried out is refused before anything is started."""
    instance, assignment, worth = read_replayable(instance_file, placement)
    curves = setting.batch_curves / instance_file.name if setting.batch_curves else None
    batching = read_batching(curves, setting.max_batch, instance, needed=True)
    build_program(instance, worth.routes, assignment, epoch=1, batching=batching, source=placement)
    return _Case(instance, assignment, worth, replace(setting.options, batching=batching))


def _measure(case: _Case, setting: _Setting) -> _Measured:
    """Emulate idle requests, then the trace as often as it is to be repeated."""
    instance, worth = case.instance, case.worth
    real = setting.workers.compute == "real"
    with _testbed(instance, setting) as testbed:

        def emulate(trace: RequestTrace) -> Emulated:
            return replay(instance, case.assignment, trace, testbed, options=case.options)

        links = measure(instance, testbed, setting.tell, any_links=case.options.any_links)
        latency_s = worth.latency_s
        if real:
            first = _unharmed(emulate(idle_trace(instance, latency_s, WARM_UP_ROUNDS))).result.requests
            slowest_s = first.groupby(first["request"].astype(str))["latency_s"].max()
            latency_s = {name: float(slowest_s[name]) for name in latency_s}
        alone = idle_trace(instance, latency_s, IDLE_ROUNDS[setting.workers.compute])
        idle = _unharmed(emulate(alone))
        host = with_computing(instance, computing_table(idle.runs, idle.runs), "held_s") if real else instance
        rate_per_s = setting.load / busiest_demand_s(host, worth.routes)
        count = max(setting.requests * len(instance.requests), setting.least_requests)
        trace = poisson_trace(instance, rate_per_s, requests=count, seed=setting.seed)
        setting.tell(f"{instance.name}: {len(trace)} requests at {rate_per_s:.3g} a second, {setting.repeats} times")
        runs = [emulate(trace) for _ in range(setting.repeats)]
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


def _tables(measured: _Measured, setting: _Setting) -> dict[str, pd.DataFrame]:
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
    if setting.workers.compute == "real":
        replayed = pd.concat([emulated.runs for emulated in measured.runs], ignore_index=True)
        computing = computing_table(measured.idle.runs, replayed)
        shown = causes_table(instance, routes, measured.trace, measured.requests, overheads, computing)
        cores = len(os.sched_getaffinity(0))
        tables["causes"] = shown.assign(rate_per_s=measured.rate_per_s, workers=len(instance.devices), cores=cores)
        tables["computing"] = computing
    setting.tell(shown.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    return tables


def _crash(measured: _Measured, device: str, setting: _Setting) -> Emulated:
    """Kill a device a third into the first requests of the trace, while one of them is in flight."""
    case = measured.case
    instance = case.instance
    count = min(len(measured.trace), CRASH_REQUESTS)
    trace = poisson_trace(instance, measured.rate_per_s, requests=count, seed=setting.seed)
    with _testbed(instance, setting) as testbed:
        measure(instance, testbed, setting.tell, any_links=case.options.any_links)
        return replay(
            instance,
            case.assignment,
            trace,
            testbed,
            options=replace(case.options, replace_with="s2m3-greedy"),
            faults=[Fault("kill", (device,), float(trace.arrival_s[count // 3]) + IN_FLIGHT_S)],
        )


def _both(emulated: ReplayResult, simulated: ReplayResult) -> pd.DataFrame:
    """Stages of an emulated and of a simulated replay of one trace, one after the other."""
    return pd.concat(
        [emulated.stages.assign(replay="emulated"), simulated.stages.assign(replay="simulated")], ignore_index=True
    )


def _write_recovery(broken: Emulated, instance: str, facts: dict[str, str], output: Path) -> None:
    write_csv(broken.result.requests.assign(instance=instance), output / "recovery.csv")
    recoveries = pd.DataFrame([vars(recovery) for recovery in broken.recoveries])
    counts = {f"{status}_requests": count for status, count in broken.counts.items()}
    write_csv(recoveries.assign(instance=instance, **counts, **facts), output / "recoveries.csv")
