"""The testbed of an emulation: made for it, over one of the networks, or of workers that run already."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from splitshare.choices import EmulatedNetwork, LinkModel
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.emulator.network import Testbed, WorkerSetup, proxy_testbed
from splitshare.replay.link_changes import LinkChanges


def open_testbed(
    instance: PlacementInstance,
    setup: WorkerSetup,
    *,
    network: EmulatedNetwork,
    link_model: LinkModel,
    echo: Callable[[str], None],
    testbed_file: Path | None = None,
    changes: LinkChanges | None = None,
) -> AbstractContextManager[Testbed]:
    """The testbed of a run: made for it, or of workers that run already.

    Raises:
        InputError: links are to change where they cannot: between real devices, in namespaces, or sharing a medium.
    """
    if changes is not None and (testbed_file is not None or network != "proxy" or link_model != "serial"):
        mend = "links change only as emulated by --network proxy with --link-model serial"
        raise InputError("--link-changes", "", mend)
    if testbed_file is not None:
        from splitshare.replay.emulator.real_testbed import real_testbed

        return real_testbed(testbed_file, instance)
    if network == "namespaces":
        from splitshare.replay.emulator.namespaces import namespace_testbed

        return namespace_testbed(instance, setup, link_model, echo)
    return proxy_testbed(instance, setup, link_model, echo, changes)
