"""The testbed of an emulation: made for it, over one of the networks, or of workers that run already."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from splitshare.choices import EmulatedNetwork, LinkModel
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.emulator.network import Testbed, WorkerSetup, proxy_testbed


def open_testbed(
    instance: PlacementInstance,
    setup: WorkerSetup,
    *,
    network: EmulatedNetwork,
    link_model: LinkModel,
    echo: Callable[[str], None],
    testbed_file: Path | None = None,
) -> AbstractContextManager[Testbed]:
    """The testbed of a run: made for it, or of workers that run already."""
    if testbed_file is not None:
        from splitshare.replay.emulator.real_testbed import real_testbed

        return real_testbed(testbed_file, instance)
    if network == "namespaces":
        from splitshare.replay.emulator.namespaces import namespace_testbed

        return namespace_testbed(instance, setup, link_model, echo)
    return proxy_testbed(instance, setup, link_model, echo)
