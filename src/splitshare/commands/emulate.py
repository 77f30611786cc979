"""``splitshare emulate``: replay a request trace on worker processes over shaped links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from splitshare.commands.evaluate import read_replayable
from splitshare.errors import InputError
from splitshare.files import canonical_json, write_text
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.batching import read_batching
from splitshare.replay.emulator.compute import ComputeKind
from splitshare.replay.emulator.driver import DriverOptions
from splitshare.replay.emulator.emulate import Emulated, EmulationOptions, measure, replay
from splitshare.replay.emulator.faults import parse_fault
from splitshare.replay.emulator.memory_limits import Limits
from splitshare.replay.emulator.network import Testbed, WorkerSetup, proxy_testbed
from splitshare.replay.emulator.program import build_program
from splitshare.replay.metrics import request_metrics
from splitshare.replay.plan import LinkModel
from splitshare.replay.tables import check_table_path, write_table
from splitshare.replay.traces import read_trace

OnFailure = Literal["drop", "replace"]
Network = Literal["proxy", "namespaces"]
"""``proxy``: relays between processes on loopback, needs nothing; ``namespaces``: the kernel's, needs root or user
namespaces."""


def run(
    *,
    instance: Path,
    placement: Path,
    trace: Path,
    output: Path,
    stages_output: Path | None,
    report_output: Path | None,
    runs_output: Path | None,
    network: Network | None,
    link_model: LinkModel,
    compute: ComputeKind,
    limits: Limits,
    faults: Sequence[str],
    on_failure: OnFailure,
    algorithm: str,
    any_links: bool,
    deadline_s: float,
    testbed_file: Path | None,
    max_batch: int,
    batch_curves: Path | None,
    catalog_root: Path,
    tell: Callable[[str], None],
) -> Emulated:
    """Emulate.

    Args:
        instance: the instance, before the placement's variant.
        placement: a placement of it.
        trace: requests, Parquet or CSV.
        output: the requests table to write.
        stages_output: the stages table to write, if wanted.
        report_output: links measured, requests by status, losses and recoveries as JSON, if wanted.
        runs_output: what each run of a real module took here, if wanted.
        network: ``proxy`` (also where nothing is said) or ``namespaces``.
        link_model: ``serial`` or ``shared-medium``.
        compute: ``recorded`` or ``real``.
        limits: who bounds the workers' memory.
        faults: what is broken on purpose (``faults.parse_fault``).
        on_failure: what follows the loss of a device.
        algorithm: places anew.
        any_links: go on when links are not as configured.
        deadline_s: of each request.
        testbed_file: addresses of workers that run already; nothing is started then.
        max_batch: requests' stages that a worker is to run as one batch at most.
        batch_curves: seconds of batches; needed where they are recorded.
        catalog_root: the data folder, for real modules.
        tell: takes lines for people.

    Raises:
        InputError: a file or an option is wrong.
        WorkError: the emulation failed.
    """
    if testbed_file is not None and (network is not None or limits == "kernel"):
        option = "--limits" if network is None else "--network"
        raise InputError(option, network or limits, "workers that run already have their own; leave it out")
    for path in (output, stages_output, runs_output):
        if path is not None:
            check_table_path(path)
    if runs_output is not None and compute == "recorded" and testbed_file is None:
        raise InputError("--runs", str(runs_output), "recorded modules compute nothing; give --compute real")
    read, assignment, worth = read_replayable(instance, placement)
    # Running workers compute in their own way, and refuse recorded batches without curves themselves.
    recorded = compute == "recorded" and testbed_file is None
    batching = read_batching(batch_curves, max_batch, read, needed=recorded)
    # What cannot be carried out is refused before anything is started.
    build_program(read, worth.routes, assignment, epoch=1, batching=batching, source=placement)
    requests = read_trace(trace, read)
    broken = [parse_fault(text, read) for text in faults]
    options = EmulationOptions(
        driver=DriverOptions(deadline_s=deadline_s),
        any_links=any_links,
        replace_with=algorithm if on_failure == "replace" else None,
        batching=batching,
    )
    setup = WorkerSetup(compute=compute, catalog_root=catalog_root, limits=limits)
    with open_testbed(
        read, setup, network=network or "proxy", link_model=link_model, tell=tell, testbed_file=testbed_file
    ) as testbed:
        links = measure(read, testbed, tell, any_links=any_links)
        emulated = replay(read, assignment, requests, testbed, options=options, faults=broken)
    emulated.result.write(output, stages_output)
    if runs_output is not None:
        write_table(emulated.runs, runs_output)
    if report_output is not None:
        report = {
            "issued": len(requests),
            **emulated.counts,
            "reasons": emulated.reasons,
            "recoveries": [asdict(recovery) for recovery in emulated.recoveries],
            "links": [asdict(link) for link in links],
        }
        write_text(report_output, canonical_json(report))
    counts = ", ".join(f"{count} {status}" for status, count in emulated.counts.items())
    tell(f"{len(requests)} issued: {counts}")
    for reason, count in emulated.reasons.items():
        tell(f"  {count} lost: {reason}")
    tell(request_metrics(emulated.result.requests).to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    return emulated


def open_testbed(
    instance: PlacementInstance,
    setup: WorkerSetup,
    *,
    network: Network,
    link_model: LinkModel,
    tell: Callable[[str], None],
    testbed_file: Path | None = None,
) -> AbstractContextManager[Testbed]:
    """The testbed of a run: made for it, or of workers that run already."""
    if testbed_file is not None:
        from splitshare.replay.emulator.real_testbed import real_testbed

        return real_testbed(testbed_file, instance)
    if network == "namespaces":
        from splitshare.replay.emulator.namespaces import namespace_testbed

        return namespace_testbed(instance, setup, link_model, tell)
    return proxy_testbed(instance, setup, link_model, tell)
