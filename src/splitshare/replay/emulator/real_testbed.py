"""A testbed of workers that run already, on several machines or by hand (contract ours)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.records import Name, Record, nearest
from splitshare.replay.emulator.credentials import (
    ADDRESS_PATTERN,
    Credentials,
    check_address,
    is_local,
    read_pem,
    read_token,
)
from splitshare.replay.emulator.network import Testbed, directions


def _address(text: str) -> str:
    check_address(text)
    return text


Address = Annotated[str, AfterValidator(_address), Field(json_schema_extra={"pattern": ADDRESS_PATTERN})]


class RunningWorkers(Record):
    """Addresses of workers; relative paths are of the working directory."""

    schema_: Literal["splitshare.running-workers/1"] = Field(alias="schema")
    workers: dict[Name, Address] = Field(min_length=1)
    """``host:port`` by device of the instance, as the driver and the other workers reach it."""
    token_file: str | None = None
    tls_ca: str | None = None
    """Authority that the workers' certificates are checked against."""


@contextmanager
def real_testbed(path: Path, instance: PlacementInstance) -> Iterator[Testbed]:
    """Take workers as they are; their links are the network's own.

    Raises:
        InputError: a device has no worker, or one is beyond this machine and neither TLS nor token are named.
    """
    running = RunningWorkers.read(path)
    for name in running.workers:
        if name not in instance.devices_by_name:
            raise InputError(path, f"workers.{name}", f"unknown; {nearest(name, list(instance.devices_by_name))}")
    for name in instance.devices_by_name:
        if name not in running.workers:
            raise InputError(path, "workers", f"has no address for {name!r}; add it")
        if not is_local(running.workers[name]) and (running.token_file is None or running.tls_ca is None):
            raise InputError(path, f"workers.{name}", "is on another machine: give token_file and tls_ca")
    credentials = Credentials(
        token=None if running.token_file is None else read_token(Path(running.token_file)),
        ca=None if running.tls_ca is None else read_pem(Path(running.tls_ca)),
    )
    links = {(a, b): running.workers[b] for a, b in directions(instance)}
    yield Testbed(workers=running.workers, links=links, credentials=credentials)
