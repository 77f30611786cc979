"""``splitshare fidelity``: the same requests through the emulator and the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from splitshare.commands.emulate import Network, open_testbed
from splitshare.commands.evaluate import read_pair
from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.emulate import Emulated, EmulationOptions, measure, replay, stopping_cleanly
from splitshare.replay.emulator.faults import Fault
from splitshare.replay.emulator.fidelity import busiest_demand_s, compare, idle_trace, measured_overheads
from splitshare.replay.emulator.network import WorkerSetup
from splitshare.replay.generators import poisson_trace
from splitshare.replay.simulator import ReplayResult, simulate
from splitshare.results.provenance import provenance
from splitshare.results.write import write_csv

IDLE_ROUNDS = 3


def run(
    instances: Sequence[Path],
    *,
    placements: Path,
    method: str,
    output: Path,
    network: Network,
    load: float,
    horizon_s: float,
    repeats: int,
    any_links: bool,
    seed: int,
    crash: str | None,
    tell: Callable[[str], None],
) -> None:
    """Compare emulated with simulated replays.

    Writes ``fidelity.csv`` (``fidelity.compare`` of each instance, with the measured overheads), ``links.csv``
    (configured and measured), ``timeline.csv`` (stages of the last instance's idle requests, emulated and simulated)
    and, where a device is to crash, ``recovery.csv`` (its requests) and ``recoveries.csv`` into ``output``.

    Args:
        instances: instance files.
        placements: directory of ``<method>/<instance file name>``.
        method: whose placements are replayed.
        output: directory.
        network: ``proxy`` or ``namespaces``.
        load: utilisation of the busiest device or link that the trace is drawn for.
        horizon_s: seconds of each trace.
        repeats: emulated runs of each trace.
        any_links: go on when links are not as configured.
        seed: of the traces.
        crash: device that is killed, in a further run of the last instance, a third into it.
        tell: takes lines for people.

    Raises:
        InputError: a file is wrong.
        WorkError: an emulation failed.
    """
    stopping_cleanly()
    facts = {key: value for key, value in provenance().items() if key in {"machine", "date", "revision"}}
    tables: list[pd.DataFrame] = []
    links: list[pd.DataFrame] = []
    for path in instances:
        instance, placed = read_pair(path, placements / method / path.name)
        assert placed.assignment is not None  # read_pair refuses empty placements
        worth = evaluate(instance, placed.assignment)
        rate_per_s = load / busiest_demand_s(instance, worth.routes)
        trace = poisson_trace(instance, rate_per_s, horizon_s=horizon_s, seed=seed)
        alone = idle_trace(instance, worth.latency_s, IDLE_ROUNDS)
        tell(f"{instance.name}: {len(trace)} requests at {rate_per_s:.3g} a second, {repeats} times")
        options = EmulationOptions(any_links=any_links)
        with open_testbed(instance, WorkerSetup(), network=network, link_model="serial", tell=tell) as testbed:
            measured = measure(instance, testbed, tell, any_links=any_links)
            idle = replay(instance, placed.assignment, alone, testbed, options=options)
            runs = [replay(instance, placed.assignment, trace, testbed, options=options) for _ in range(repeats)]
        overheads = measured_overheads(instance, worth.routes, alone, idle.result.stages)
        requests = [emulated.result.requests for emulated in runs]
        table = compare(instance, worth.routes, trace, requests, overheads, worth.latency_s)
        table.insert(0, "instance", instance.name)
        table.insert(1, "method", method)
        table["message_s"], table["run_s"] = overheads.message_s, overheads.run_s
        tables.append(table.assign(load=load, **facts))
        links.append(pd.DataFrame([vars(link) for link in measured]).assign(instance=instance.name))
        timeline = _both(idle.result, simulate(instance, worth.routes, alone))
        tell(table[table["metric"] == "mean_s"].to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    write_csv(pd.concat(tables, ignore_index=True), output / "fidelity.csv")
    write_csv(pd.concat(links, ignore_index=True), output / "links.csv")
    write_csv(timeline, output / "timeline.csv")
    if crash is not None:
        assert placed.assignment is not None
        with open_testbed(instance, WorkerSetup(), network=network, link_model="serial", tell=tell) as testbed:
            measure(instance, testbed, tell, any_links=any_links)
            broken = replay(
                instance,
                placed.assignment,
                trace,
                testbed,
                options=EmulationOptions(any_links=any_links, replace_with="s2m3-greedy"),
                faults=[Fault("kill", (crash,), horizon_s / 3)],
            )
        _write_recovery(broken, instance.name, facts, output)


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
