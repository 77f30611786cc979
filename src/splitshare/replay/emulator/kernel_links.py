"""Makes the links between network namespaces: ``python -m splitshare.replay.emulator.kernel_links``.

A process with the right to: root's, or that of a user namespace of its own. It lives in a network namespace of its own
too, so that no interface of the host's is ever seen, and none is made there. It tells on standard output what it can,
reads links from standard input, a JSON line for all of them, and ends when that ends. The links belong to the
namespaces of their ends, and go with them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import sys
from pathlib import Path
from typing import Any, Literal

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from splitshare.records import NonNegative, Positive, Record
from splitshare.replay.emulator.enter_namespace import NEW_NET, NEW_USER, unshare
from splitshare.replay.emulator.processes import say
from splitshare.stopping import end_with_parent

MTU_BYTES = 1500
ETHERNET_BYTES = 14
"""Of a frame, as the kernel counts them."""
TCP_IP_BYTES = 52
"""Of a packet, with TCP's time stamps: what is left of the MTU is payload."""
BURST_S = 0.001
"""Seconds of a link's work that may leave at once: the most that a kernel timer may be late at no cost."""
QUEUE_S = 0.25
"""Seconds of a link's work that wait in its queue; TCP holds a sender up well before."""
NETEM_PACKETS = 100_000
"""Packets under way that the delay element holds: more than any link of an instance has."""


class LinkEnd(Record):
    """One direction of a link, seen from where it begins."""

    interface: str
    pid: int
    """A process of the namespace."""
    address: str
    prefix: int
    bytes_per_s: Positive
    """Of application payload."""
    latency_s: NonNegative


class KernelLinks(Record):
    """All links of a testbed, as pairs of ends."""

    schema_: Literal["splitshare.kernel-links/1"]
    links: tuple[tuple[LinkEnd, LinkEnd], ...]
    netem: bool
    """Whether the kernel delays the packets; else somebody else does."""


def wire_bytes_per_s(payload_bytes_per_s: float) -> float:
    """The rate of frames that carries a rate of payload."""
    return payload_bytes_per_s * (MTU_BYTES + ETHERNET_BYTES) / (MTU_BYTES - TCP_IP_BYTES)


def own_namespaces() -> bool:
    """Take a network namespace, and where that needs it a user namespace in which this process is root.

    Returns:
        Whether there is a user namespace.

    Raises:
        OSError: the kernel does not allow either.
    """
    try:
        unshare(NEW_NET)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        unshare(NEW_USER)
        with contextlib.suppress(FileNotFoundError):  # as old kernels have it
            write("setgroups", "deny")
        write("uid_map", f"0 {user} 1")
        write("gid_map", f"0 {group} 1")
        unshare(NEW_NET)
        return True
    return False


def write(name: str, text: str) -> None:
    """Write to a file of this process."""
    Path("/proc/self", name).write_text(text, encoding="utf-8")


def has_netem() -> bool:
    """Whether the kernel has ``netem``: tried on the loopback interface of this process's own namespace."""
    with IPRoute() as kernel:
        (loopback,) = kernel.link_lookup(ifname="lo")
        try:
            kernel.tc("add", "netem", index=loopback, delay=1)
        except NetlinkError as error:
            if error.code in {errno.ENOENT, errno.EOPNOTSUPP}:
                return False
            raise
        kernel.tc("del", "netem", index=loopback)
    return True


def make(spec: KernelLinks) -> None:
    """Make, address, shape and open all links."""
    with IPRoute() as kernel:
        for a, b in spec.links:
            kernel.link("add", ifname=a.interface, kind="veth", mtu=MTU_BYTES, peer={"ifname": b.interface})
            for end in (b, a):
                (index,) = kernel.link_lookup(ifname=end.interface)
                kernel.link("set", index=index, net_ns_pid=end.pid)
    by_pid: dict[int, list[LinkEnd]] = {}
    for end in (end for pair in spec.links for end in pair):
        by_pid.setdefault(end.pid, []).append(end)
    for pid, ends in by_pid.items():
        with IPRoute(netns=f"/proc/{pid}/ns/net") as kernel:
            kernel.link("set", index=kernel.link_lookup(ifname="lo")[0], state="up")
            for end in ends:
                (index,) = kernel.link_lookup(ifname=end.interface)
                kernel.addr("add", index=index, address=end.address, prefixlen=end.prefix)
                shape(kernel, index, end, netem=spec.netem)
                kernel.link("set", index=index, state="up")


def shape(kernel: Any, index: int, end: LinkEnd, *, netem: bool) -> None:
    """Give an interface its rate, by a token bucket, and its latency where the kernel can."""
    rate = wire_bytes_per_s(end.bytes_per_s)
    bucket: dict[str, Any] = {
        "rate": round(rate),
        "burst": math.ceil(max(2 * (MTU_BYTES + ETHERNET_BYTES), rate * BURST_S)),
        "limit": math.ceil(max(64 * MTU_BYTES, rate * QUEUE_S)),
    }
    if not netem:
        kernel.tc("add", "tbf", index=index, handle="1:", **bucket)
        return
    kernel.tc("add", "netem", index=index, handle="1:", delay=round(end.latency_s * 1e6), limit=NETEM_PACKETS)
    kernel.tc("add", "tbf", index=index, handle="2:", parent="1:1", **bucket)


def main() -> None:
    """Make what standard input names."""
    say({"user": own_namespaces(), "netem": has_netem()})
    for line in sys.stdin:
        make(KernelLinks.parse(json.loads(line), "links"))
        say({"done": True})


if __name__ == "__main__":
    end_with_parent()
    main()
