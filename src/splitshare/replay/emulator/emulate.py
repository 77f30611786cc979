"""A whole emulation: a testbed made, its links measured, a trace replayed, everything removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import pandas as pd

from splitshare.errors import SplitshareError, WorkError
from splitshare.placement.contract import load
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.placement.run import solve
from splitshare.placement.what_if import without_devices
from splitshare.progress import counter
from splitshare.replay.batching import ONE_BY_ONE, Batching
from splitshare.replay.emulator.driver import Driver, DriverOptions, Recovery, Replayed
from splitshare.replay.emulator.faults import Fault
from splitshare.replay.emulator.link_check import LinkMeasurement, check_links, measure_links
from splitshare.replay.emulator.network import Testbed
from splitshare.replay.emulator.outcome import runs_table, tables
from splitshare.replay.emulator.program import Program, build_program
from splitshare.replay.result import ReplayResult
from splitshare.replay.traces import RequestTrace


@dataclass(frozen=True)
class EmulationOptions:
    """How an emulation is run."""

    driver: DriverOptions = field(default_factory=DriverOptions)
    any_links: bool = False
    """Whether to go on when links are not as configured."""
    replace_with: str | None = None
    """Algorithm that places anew after a loss; ``None``: nothing is placed anew."""
    batching: Batching = ONE_BY_ONE
    """What workers are asked for; each forms batches up to its own limit."""


@dataclass(frozen=True)
class Emulated:
    """What an emulation gives."""

    result: ReplayResult
    counts: dict[str, int]
    reasons: dict[str, int]
    recoveries: list[Recovery]
    runs: pd.DataFrame
    """What real modules took (``outcome.runs_table``)."""


def used_directions(program: Program) -> frozenset[tuple[str, str]]:
    """Directions of links over which a placement sends tensors or signals."""
    found: set[tuple[str, str]] = set()
    for of_class in program.classes:
        for place, step in enumerate(of_class.steps):
            if step.begin != step.end:
                found.add((step.begin, step.end))
            found |= {(step.end, device) for device in of_class.signalled(place) if device != step.end}
    return frozenset(found)


def measure(
    instance: PlacementInstance,
    testbed: Testbed,
    echo: Callable[[str], None],
    *,
    any_links: bool,
    used: Collection[tuple[str, str]] | None = None,
) -> list[LinkMeasurement]:
    """Measure and print links: all, or those that are ``used``.

    Raises:
        WorkError: one is not as configured.
    """
    measured = asyncio.run(measure_links(instance, testbed, used))
    for measurement in measured:
        echo(measurement.line())
    if len(measured) < len(testbed.links):
        echo(f"{len(measured)} of {len(testbed.links)} directions are used and were measured")
    check_links(measured, anyway=any_links)
    return measured


def replay(
    instance: PlacementInstance,
    assignment: Assignment,
    trace: RequestTrace,
    testbed: Testbed,
    *,
    options: EmulationOptions,
    faults: Sequence[Fault] = (),
) -> Emulated:
    """Replay a trace over the workers of a testbed.

    Raises:
        InputError: the placement cannot be carried out by workers (``build_program``).
        WorkError: a worker fails to start its work.
    """
    routes = evaluate(instance, assignment).routes
    program = build_program(instance, routes, assignment, epoch=1, batching=options.batching)
    replaced = options.replace_with

    def replace(lost: frozenset[str], epoch: int) -> Program | None:
        return None if replaced is None else _placed_anew(instance, lost, epoch, replaced, options.batching)

    async def run() -> Replayed:
        with counter("replaying", len(trace)) as ended:
            driver = Driver(
                program,
                trace,
                testbed,
                options=options.driver,
                faults=faults,
                replace=None if replaced is None else replace,
                ended=ended,
            )
            return await driver.run()

    try:
        replayed = asyncio.run(run())
    except WorkError as error:
        reasons = [f"{device}: {reason}" for device in testbed.workers if (reason := testbed.explain(device))]
        raise WorkError("; ".join([str(error), *reasons])) from None
    outcome = replayed.outcome
    return Emulated(
        tables(trace, replayed.programs, outcome),
        outcome.counts(len(trace)),
        outcome.reasons(),
        replayed.recoveries,
        runs_table(trace, replayed.programs, outcome),
    )


def _placed_anew(
    instance: PlacementInstance, lost: frozenset[str], epoch: int, algorithm: str, batching: Batching
) -> Program | None:
    """The program without lost devices; ``None`` where nothing is feasible."""
    try:
        left = without_devices(instance, lost)
        placement = solve(left, load(algorithm), time_limit_s=10.0)
        if placement.assignment is None:
            return None
        routes = evaluate(left, placement.assignment).routes
        return build_program(left, routes, placement.assignment, epoch=epoch, batching=batching)
    except (SplitshareError, ValueError):  # cut off from every device that could serve it
        return None
