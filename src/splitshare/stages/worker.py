"""Hold a device's modules and serve them to the other workers, until interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import typer

from splitshare.commands.worker import Options
from splitshare.errors import InputError
from splitshare.replay.emulator.credentials import Credentials, ServerSecurity, read_pem, read_token
from splitshare.replay.emulator.worker import WorkerOptions, run_worker
from splitshare.stopping import end_with_parent


def _print(ready: dict[str, Any]) -> None:
    typer.echo(json.dumps(ready))


def run(options: Options, echo: Callable[[dict[str, Any]], None] = _print) -> None:
    """Serve until interrupted.

    Raises:
        InputError: an option is wrong, or other machines could reach it without TLS and a token.
    """
    if options.torch_device != "cpu" and options.compute == "recorded":
        raise InputError(
            "--torch-device", options.torch_device, "recorded modules compute nothing; give --compute real"
        )
    if options.ends_with_parent:
        end_with_parent()
    certificate, key, ca = (
        None if path is None else read_pem(path) for path in (options.tls_certificate, options.tls_key, options.tls_ca)
    )
    token = None if options.token_file is None else read_token(options.token_file)
    run_worker(
        WorkerOptions(
            device=options.device,
            listen=options.listen,
            compute=options.compute,
            memory_bytes=options.memory_bytes,
            max_live=options.max_live,
            max_batch=options.max_batch,
            catalog_root=options.catalog_root,
            threads=options.threads,
            torch_device=options.torch_device,
            security=ServerSecurity(token, certificate, key),
            credentials=Credentials(token, ca),
        ),
        echo,
    )
