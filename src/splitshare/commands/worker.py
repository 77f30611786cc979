"""``splitshare worker``: hold a device's modules and serve them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from splitshare.replay.emulator.compute import ComputeKind
from splitshare.replay.emulator.credentials import Credentials, ServerSecurity, read_pem, read_token
from splitshare.replay.emulator.processes import end_with_parent
from splitshare.replay.emulator.worker import WorkerOptions, run_worker


def run(
    device: str,
    *,
    listen: list[str],
    compute: ComputeKind,
    memory_bytes: float | None,
    max_live: int,
    max_batch: int | None,
    threads: int,
    catalog_root: Path,
    tls: tuple[Path | None, Path | None, Path | None],
    token_file: Path | None,
    ends_with_parent: bool,
    tell: Callable[[dict[str, Any]], None],
) -> None:
    """Serve until interrupted.

    Args:
        device: its name in the instances that it will be asked about.
        listen: addresses, ``host:port`` or ``unix:path``.
        compute: ``recorded`` sleeps for the instance's seconds, ``real`` runs torch modules.
        memory_bytes: more modules than fit are refused; ``None``: no limit.
        max_live: requests in work at a time; more are dropped.
        max_batch: requests' stages in a batch, whatever a driver asks for; ``None``: no limit.
        threads: of torch.
        catalog_root: the data folder, for real modules.
        tls: certificate, key, and the authority that peers' certificates are checked against.
        token_file: the token that callers must show and that this worker shows to its peers.
        ends_with_parent: whether it dies with the process that started it.
        tell: gets the ports once it serves.

    Raises:
        InputError: an option is wrong, or other machines could reach it without TLS and a token.
    """
    if ends_with_parent:
        end_with_parent()
    certificate, key, ca = (None if path is None else read_pem(path) for path in tls)
    token = None if token_file is None else read_token(token_file)
    run_worker(
        WorkerOptions(
            device=device,
            listen=listen,
            compute=compute,
            memory_bytes=memory_bytes,
            max_live=max_live,
            max_batch=max_batch,
            catalog_root=catalog_root,
            threads=threads,
            security=ServerSecurity(token, certificate, key),
            credentials=Credentials(token, ca),
        ),
        tell,
    )
