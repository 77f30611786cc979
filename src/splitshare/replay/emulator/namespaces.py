"""Testbeds of network namespaces: every device has one, every link is a pair of virtual interfaces (method ours).

The kernel shapes what leaves an interface with a token bucket. It delays packets with ``netem``, where it has that;
else a relay at the end of each link does, in user space. Either way a relay there hands connections on to the worker,
which listens on its namespace's loopback interface alone. The driver reaches workers through sockets in the run's
private directory. Namespaces live as long as the processes in them, so nothing is left of a run that is killed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from splitshare.errors import InputError, WorkError
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.emulator.cleaner import run_directory
from splitshare.replay.emulator.credentials import Credentials
from splitshare.replay.emulator.kernel_links import KernelLinks, LinkEnd
from splitshare.replay.emulator.network import (
    ProcessFaults,
    Testbed,
    WorkerSetup,
    bounded,
    directions,
    start_relay,
    worker_arguments,
)
from splitshare.replay.emulator.processes import Child, interpreter, patience_s
from splitshare.replay.emulator.relay import RelayedLink, RelaySpec
from splitshare.replay.plan import LinkModel

ADDRESSES = ipaddress.IPv4Network("10.0.0.0/8")
"""Of the links; nothing outside the namespaces can tell."""
PREFIX = 30
"""A network for two."""
MAKE_S = 60.0
"""Seconds within which the links must be there."""


# Long: what is opened last is closed first: one block holds all of it.
@contextmanager
def namespace_testbed(
    instance: PlacementInstance, setup: WorkerSetup, link_model: LinkModel, echo: Callable[[str], None]
) -> Iterator[Testbed]:
    """Workers in network namespaces of their own; needs root or a kernel that allows user namespaces.

    Args:
        instance: its devices and links.
        setup: what workers are started with.
        link_model: ``serial``.
        echo: takes lines for people: by what links are shaped, how memory is bounded.

    Raises:
        InputError: the link model is another one.
        WorkError: namespaces cannot be had, or a process does not start.
    """
    if link_model != "serial":
        raise InputError("--link-model", link_model, "namespaces have links of their own only; use --network proxy")
    with run_directory() as (directory, cleaner), ExitStack() as stack:
        maker = Child(
            "network namespaces", ["-m", "splitshare.replay.emulator.kernel_links"], directory / "kernel_links.log"
        )
        stack.callback(maker.close)
        try:
            can = maker.answer()
        except WorkError as error:
            raise WorkError(f"{error}; it needs root or user namespaces, --network proxy needs neither") from None
        user = str(maker.pid) if can["user"] else "-"
        echo(
            f"namespaces: {'in a user namespace' if can['user'] else 'as root'}; rate by tbf, latency by "
            f"{'netem' if can['netem'] else 'relays, the kernel has no netem'}"
        )
        children: dict[str, Child] = {}
        for i, device in enumerate(instance.devices):
            arguments = worker_arguments(instance, device.name, setup)
            listen = ["--listen", "127.0.0.1:0", "--listen", f"unix:{directory / f'{i}.sock'}"]
            log = directory / f"{i}.log"
            child = Child(f"worker {device.name}", [*arguments, *listen], log, _inside(user, "new"))
            stack.callback(child.close)
            children[device.name] = child
        patience = patience_s(len(children))
        ports = {name: int(child.answer(patience)["ports"][0]) for name, child in children.items()}
        explain = bounded(instance, setup, children, cleaner, echo)
        pids = {name: child.pid for name, child in children.items()}
        spec = _links(instance, pids, netem=can["netem"])
        maker.echo(spec.model_dump(by_alias=True), timeout_s=MAKE_S)
        address = {
            (a, b): there.address
            for link, (here, there) in zip(instance.links, spec.links, strict=True)
            for a, b, there in ((link.a, link.b, there), (link.b, link.a, here))
        }
        links: dict[tuple[str, str], str] = {}
        relays: dict[str, Child] = {}
        for i, (name, child) in enumerate(children.items()):
            doors = _doors(instance, name, address, ports[name], netem=can["netem"])
            if doors:
                spec_ = RelaySpec(schema_="splitshare.relays/1", links=doors)
                relay = start_relay(spec_, directory, stack, f"relays-{i}", _inside(user, str(child.pid)))
                listening = relay.answer()["ports"]
                relays |= dict.fromkeys(listening, relay)
                for a, b in directions(instance):
                    if b == name:
                        links[a, b] = f"{address[a, b]}:{listening[f'{a}->{b}']}"
        yield Testbed(
            workers={name: f"unix:{directory / f'{i}.sock'}" for i, name in enumerate(children)},
            links={pair: links[pair] for pair in directions(instance)},
            credentials=Credentials(),
            faults=ProcessFaults(children, relays),
            explain=explain,
            worker_pids=pids,
            relay_pids=sorted({relay.pid for relay in relays.values()}),
        )


def _inside(user: str, net: str) -> list[str]:
    """What starts a command in a namespace."""
    return [*interpreter(), "-m", "splitshare.replay.emulator.enter_namespace", user, net]


def _links(instance: PlacementInstance, pids: dict[str, int], *, netem: bool) -> KernelLinks:
    pairs = []
    for i, (link, network) in enumerate(zip(instance.links, ADDRESSES.subnets(new_prefix=PREFIX), strict=False)):
        first, second = network.hosts()
        ends = [
            LinkEnd(
                interface=f"ss{i}{side}",
                pid=pids[device],
                address=str(host),
                prefix=PREFIX,
                bytes_per_s=link.bandwidth_bytes_per_s,
                latency_s=link.latency_s,
            )
            for side, device, host in (("a", link.a, first), ("b", link.b, second))
        ]
        pairs.append((ends[0], ends[1]))
    return KernelLinks(schema_="splitshare.kernel-links/1", links=tuple(pairs), netem=netem)


def _doors(
    instance: PlacementInstance, device: str, address: dict[tuple[str, str], str], port: int, *, netem: bool
) -> tuple[RelayedLink, ...]:
    """Where the links to a device end: the relay hands connections on, and delays them where the kernel cannot."""
    doors = []
    for a, b in directions(instance):
        link = instance.link_between(a, b)
        if b == device and link is not None:
            doors.append(
                RelayedLink(
                    name=f"{a}->{b}",
                    host="127.0.0.1",
                    port=port,
                    listen_host=address[a, b],
                    bytes_per_s=None,
                    latency_s=0.0 if netem else link.latency_s,
                    medium=f"{a}->{b}",
                )
            )
    return tuple(doors)
