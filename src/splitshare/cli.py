"""``splitshare``: every stage without Snakemake.

Exit code 0: done; 1: the work failed; 2: the input is wrong. Errors are one line on standard error. Stages are
imported when they are called, so that the command line answers at once.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import Annotated, ClassVar, NoReturn

import typer

from splitshare.commands.mounting import StageGroup, typer_of
from splitshare.errors import SplitshareError, escaped, one_line
from splitshare.extras import missing
from splitshare.stopping import Stopped, end, stop_when_asked
from splitshare.version import __version__


class Stages(StageGroup):
    """All stages, by who needs them."""

    panels: ClassVar = {
        "Most used": ("compare", "solve", "evaluate", "trace", "simulate", "capacity", "emulate", "explore", "list"),
        "Models of your own": ("split", "shared", "catalogue"),
        "Studies, modules, devices, instances": (
            *(
                "init",
                "describe",
                "profile",
                "record-profile",
                "merge-profiles",
                "derive",
                "local-testbed",
                "instances",
                "random-instances",
                "assignment-instances",
            ),
            *("batch-curves", "load-times", "link-changes", "adversarial", "explain"),
        ),
        "Accuracy": ("benchmarks", "fit-heads", "accuracy", "check-split", "embedded"),
        "Under load": ("loadgen", "closed-loop", "fetch-trace", "device-changes", "adapt"),
        "The papers' studies": (
            *("collect", "cloud-grid", "prompt-cache", "ablation", "sweep", "onloading", "figures", "gallery"),
            *("load-sweep", "load-tables"),
        ),
        "Emulation and real devices": ("worker", "fidelity", "shaping"),
        "Keeping results": ("record", "record-families", "standings", "robustness", "verify", "pin", "schemas"),
    }
    order = tuple(name for names in panels.values() for name in names)


app = typer_of(
    cls=Stages,
    add_completion=True,
    help="Profile, place, replay and compare split and shared multi-modal models on edge devices.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"splitshare {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


OUT_OF_MEMORY = re.compile("not enough memory|out of memory|n.t allocate memory", re.IGNORECASE)
"""How torch says that it could not allocate."""


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    typer.echo(f"error: {escaped(message)}", err=True)
    sys.exit(exit_code)


def main() -> None:
    """Entry point: run the command line and turn errors into one line and an exit code."""
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would log of a failed call is in the error that it raises
    stop_when_asked()
    try:
        app()
    except SplitshareError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:  # what is read is told of as an InputError; this is a place that cannot be written
        _fail(f"{error.filename}: {error.strerror or error}" if error.filename else str(error.strerror or error))
    except MemoryError as error:
        _fail(f"out of memory ({one_line(str(error)) or 'no more could be had'}); ask for less at a time")
    except ModuleNotFoundError as error:
        told = missing(error, "splitshare " + next((word for word in sys.argv[1:] if not word.startswith("-")), ""))
        if told is None:
            raise
        _fail(told)
    except RuntimeError as error:
        if not OUT_OF_MEMORY.search(str(error)):
            raise
        _fail(f"out of memory ({one_line(str(error))}); ask for less at a time")
    except Stopped as stopped:
        end(stopped)


if __name__ == "__main__":
    main()
