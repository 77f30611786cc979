"""Replay a trace on worker processes over shaped links, or on real devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from splitshare.commands.emulate import Options
from splitshare.errors import InputError
from splitshare.files import canonical_json, write_text
from splitshare.placement.pairs import read_replayable
from splitshare.profiling.machine import usable_device
from splitshare.replay.batching import read_batching
from splitshare.replay.emulator.driver import DriverOptions
from splitshare.replay.emulator.emulate import Emulated, EmulationOptions, measure, replay, used_directions
from splitshare.replay.emulator.faults import parse_fault
from splitshare.replay.emulator.link_check import LinkMeasurement
from splitshare.replay.emulator.memory_use import MemoryUse, memory_use
from splitshare.replay.emulator.network import WorkerSetup
from splitshare.replay.emulator.program import build_program
from splitshare.replay.emulator.testbed import open_testbed
from splitshare.replay.link_changes import read_link_changes
from splitshare.replay.metrics import request_metrics
from splitshare.replay.tables import check_table_path, write_table
from splitshare.replay.traces import read_trace


def run(options: Options, echo: Callable[[str], None] = typer.echo) -> Emulated:
    """Emulate.

    Raises:
        InputError: a file or an option is wrong.
        WorkError: the emulation failed.
    """
    _check(options)
    torch_device = usable_device(options.torch_device)
    instance, assignment, worth = read_replayable(options.instance, options.placement)
    # Running workers compute in their own way, and refuse recorded batches without curves themselves.
    recorded = options.compute == "recorded" and options.testbed_file is None
    batching = read_batching(options.batch_curves, options.max_batch, instance, needed=recorded)
    # What cannot be carried out is refused before anything is started.
    program = build_program(instance, worth.routes, assignment, epoch=1, batching=batching, source=options.placement)
    requests = read_trace(options.trace, instance)
    changes = None if options.link_changes is None else read_link_changes(options.link_changes, instance)
    faults = [parse_fault(text, instance) for text in options.faults]
    emulation = EmulationOptions(
        driver=DriverOptions(deadline_s=options.deadline_s),
        any_links=options.any_links,
        replace_with=options.algorithm if options.on_failure == "replace" else None,
        batching=batching,
    )
    if torch_device != "cpu":
        echo(f"the modules of all {len(instance.devices)} workers compute on {torch_device}, which they share")
    with open_testbed(
        instance,
        WorkerSetup(
            compute=options.compute,
            torch_device=torch_device,
            catalog_root=options.catalog_root,
            limits=options.limits,
        ),
        network=options.network or "proxy",
        link_model=options.link_model,
        echo=echo,
        testbed_file=options.testbed_file,
        changes=changes,
    ) as testbed:
        used = None if options.all_links else used_directions(program)
        links = measure(instance, testbed, echo, any_links=options.any_links, used=used)
        emulated = replay(instance, assignment, requests, testbed, options=emulation, faults=faults)
        memory = memory_use(testbed)
    emulated.result.write(options.output, options.stages_output)
    if options.runs_output is not None:
        write_table(emulated.runs, options.runs_output)
    if options.report_output is not None:
        _write_report(options.report_output, len(requests), emulated, links, memory)
    if options.testbed_file is None:
        echo(memory.line())
    _tell_counts(emulated, len(requests), echo)
    return emulated


def _write_report(
    path: Path, issued: int, emulated: Emulated, links: Sequence[LinkMeasurement], memory: MemoryUse
) -> None:
    report = {
        "issued": issued,
        **emulated.counts,
        "reasons": emulated.reasons,
        "recoveries": [asdict(recovery) for recovery in emulated.recoveries],
        "links": [asdict(link) for link in links],
        "worker_memory_bytes": memory.workers_bytes,
        "relay_memory_bytes": memory.relays_bytes,
    }
    write_text(path, canonical_json(report))


def _check(options: Options) -> None:
    """Refuse options that do not go together, and tables that could not be written."""
    if options.testbed_file is not None and (options.network is not None or options.limits == "kernel"):
        option = "--limits" if options.network is None else "--network"
        given = options.network or options.limits
        raise InputError(option, given, "workers that run already have their own; leave it out")
    if options.torch_device != "cpu" and (options.testbed_file is not None or options.compute == "recorded"):
        mend = "workers that run already have their own; leave it out"
        if options.testbed_file is None:
            mend = "recorded modules compute nothing; give --compute real"
        raise InputError("--torch-device", options.torch_device, mend)
    for path in (options.output, options.stages_output, options.runs_output):
        if path is not None:
            check_table_path(path)
    if options.runs_output is not None and options.compute == "recorded" and options.testbed_file is None:
        raise InputError("--runs", str(options.runs_output), "recorded modules compute nothing; give --compute real")


def _tell_counts(emulated: Emulated, issued: int, echo: Callable[[str], None]) -> None:
    counts = ", ".join(f"{count} {status}" for status, count in emulated.counts.items())
    echo(f"{issued} issued: {counts}")
    for reason, count in emulated.reasons.items():
        echo(f"  {count} lost: {reason}")
    echo(request_metrics(emulated.result.requests).to_string(index=False, float_format=lambda v: f"{v:.4g}"))
