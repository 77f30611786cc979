"""Testbeds that stand for the length of a run: worker processes and the links between them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.places import DATA
from splitshare.replay.emulator.cleaner import Cleaner, run_directory
from splitshare.replay.emulator.compute import ComputeKind
from splitshare.replay.emulator.credentials import Credentials
from splitshare.replay.emulator.memory_limits import Explain, Limits, enforce, nothing_happened
from splitshare.replay.emulator.processes import Child, patience_s
from splitshare.replay.emulator.relay import RelayedChange, RelayedLink, RelaySpec
from splitshare.replay.link_changes import LinkChanges
from splitshare.replay.plan import LinkModel


class Faults(Protocol):
    """What can be broken in a testbed."""

    def kill(self, device: str) -> None:
        """End a worker without a word."""
        ...

    def stick(self, device: str) -> None:
        """Have a worker live and do nothing."""
        ...

    def cut(self, a: str, b: str, *, restored: bool) -> None:
        """Break both directions of a link, or mend them."""
        ...

    def begin(self, began_s: float) -> None:
        """Tell links that change that the replay begins, in this machine's monotonic clock."""
        ...


@dataclass(frozen=True)
class Testbed:
    """Where the workers of a run are."""

    workers: Mapping[str, str]
    """Addresses for the driver, by device."""
    links: Mapping[tuple[str, str], str]
    """Addresses for the first device of a direction to reach the second."""
    credentials: Credentials
    faults: Faults | None = None
    """``None``: real devices, of which nothing is broken."""
    explain: Explain = nothing_happened
    """Why a device's worker has ended, where the kernel did it."""
    worker_pids: Mapping[str, int] = field(default_factory=dict)
    """Processes of emulated workers, by device."""
    relay_pids: Sequence[int] = ()
    """Processes that shape the links."""


@dataclass(frozen=True)
class WorkerSetup:
    """What the emulated workers are started with."""

    compute: ComputeKind = "recorded"
    torch_device: str = "cpu"
    """Where real modules compute."""
    catalog_root: Path = DATA
    max_live: int = 1000
    limits: Limits = "auto"


class ProcessFaults:
    """Faults of worker processes and relays."""

    def __init__(self, workers: Mapping[str, Child], relays: Mapping[str, Child], changing: Sequence[str] = ()) -> None:
        self._workers, self._relays, self._changing = workers, relays, changing

    def begin(self, began_s: float) -> None:
        """By the relays."""
        for name in self._changing:
            self._relays[name].echo({"links": [name], "began_s": began_s})

    def kill(self, device: str) -> None:
        """SIGKILL."""
        self._workers[device].signal(signal.SIGKILL)

    def stick(self, device: str) -> None:
        """SIGSTOP: its connections stay open."""
        self._workers[device].signal(signal.SIGSTOP)

    def cut(self, a: str, b: str, *, restored: bool) -> None:
        """Reset the connections of a link and refuse new ones, or take them again."""
        for name in (f"{a}->{b}", f"{b}->{a}"):
            self._relays[name].echo({"links": [name], "cut": not restored})


def worker_arguments(instance: PlacementInstance, device: str, setup: WorkerSetup) -> list[str]:
    """The command line of a worker that the emulator starts, but for where it listens."""
    return [
        *("-m", "splitshare.cli", "worker", device, "--end-with-parent"),
        *("--compute", setup.compute, "--torch-device", setup.torch_device, "--data", str(setup.catalog_root)),
        *("--memory-bytes", repr(float(instance.devices_by_name[device].memory_bytes))),
        *("--max-live", str(setup.max_live)),
    ]


def bounded(
    instance: PlacementInstance,
    setup: WorkerSetup,
    workers: Mapping[str, Child],
    cleaner: Cleaner,
    echo: Callable[[str], None],
) -> Explain:
    """Bound the memory of workers that are ready; recorded modules take none.

    Raises:
        WorkError: the kernel is to do it, and cannot.
    """
    if setup.compute == "recorded" and setup.limits == "auto":
        return nothing_happened
    memory_bytes = {name: device.memory_bytes for name, device in instance.devices_by_name.items()}
    return enforce(setup.limits, {name: child.pid for name, child in workers.items()}, memory_bytes, cleaner, echo)


def directions(instance: PlacementInstance) -> Iterator[tuple[str, str]]:
    """Both directions of every link."""
    for link in instance.links:
        yield link.a, link.b
        yield link.b, link.a


def medium_of(instance: PlacementInstance, a: str, b: str, link_model: LinkModel) -> str:
    """What a direction of a link shares with others: the cell's air, or nothing.

    Raises:
        InputError: the links are to be independent of load, which no network is.
    """
    if link_model == "independent":
        raise InputError("--link-model", "independent", "only a simulated link carries everything at once; give serial")
    link = instance.link_between(a, b)
    assert link is not None
    return link.cell if link_model == "shared-medium" and link.cell is not None else f"{a}->{b}"


@contextmanager
def proxy_testbed(
    instance: PlacementInstance,
    setup: WorkerSetup,
    link_model: LinkModel,
    echo: Callable[[str], None],
    changes: LinkChanges | None = None,
) -> Iterator[Testbed]:
    """Workers as plain processes on loopback, every direction of a link a shaped relay; needs no rights.

    Args:
        instance: its devices and links.
        setup: what workers are started with.
        link_model: ``serial`` or ``shared-medium``.
        echo: takes a line for people: how memory is bounded.
        changes: how links change once a replay begins.

    Raises:
        InputError: a setting is wrong.
        WorkError: a process does not start.
    """
    with run_directory() as (directory, cleaner), ExitStack() as stack:
        children: dict[str, Child] = {}
        for device in instance.devices:
            arguments = [*worker_arguments(instance, device.name, setup), "--listen", "127.0.0.1:0"]
            child = Child(f"worker {device.name}", arguments, directory / f"{device.name}.log")
            stack.callback(child.close)
            children[device.name] = child
        patience = patience_s(len(children))
        ports = {name: int(child.answer(patience)["ports"][0]) for name, child in children.items()}
        explain = bounded(instance, setup, children, cleaner, echo)
        links = tuple(
            RelayedLink(
                name=f"{a}->{b}",
                host="127.0.0.1",
                port=ports[b],
                bytes_per_s=link.bandwidth_bytes_per_s,
                latency_s=link.latency_s,
                medium=medium_of(instance, a, b, link_model),
                changes=_relayed(changes, f"{a}->{b}"),
            )
            for a, b in directions(instance)
            if (link := instance.link_between(a, b)) is not None
        )
        relay = start_relay(RelaySpec(schema_="splitshare.relays/1", links=links), directory, stack)
        listening = relay.answer()["ports"]
        addresses = {(a, b): f"127.0.0.1:{listening[f'{a}->{b}']}" for a, b in directions(instance)}
        yield Testbed(
            workers={name: f"127.0.0.1:{port}" for name, port in ports.items()},
            links=addresses,
            credentials=Credentials(),
            faults=ProcessFaults(children, dict.fromkeys(listening, relay), list(changes.by_link) if changes else ()),
            explain=explain,
            worker_pids={name: child.pid for name, child in children.items()},
            relay_pids=[relay.pid],
        )


def _relayed(changes: LinkChanges | None, direction: str) -> tuple[RelayedChange, ...]:
    if changes is None or direction not in changes.by_link:
        return ()
    rows = zip(*(column.tolist() for column in changes.by_link[direction]), strict=True)
    return tuple(RelayedChange(time_s=time, bytes_per_s=rate, latency_s=latency) for time, rate, latency in rows)


def start_relay(
    spec: RelaySpec, directory: Path, stack: ExitStack, name: str = "relays", wrapper: Sequence[str] = ()
) -> Child:
    """A relay process; it ends with the stack."""
    path = directory / f"{name}.json"
    path.write_text(spec.to_json())
    child = Child(name, ["-m", "splitshare.replay.emulator.relay", str(path)], directory / f"{name}.log", wrapper)
    stack.callback(child.close)
    return child
