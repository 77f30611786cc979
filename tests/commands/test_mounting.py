"""Commands and stages: what is asked is light and stands once, and what does it has the same name."""

import dataclasses
import importlib
import re
import subprocess
import sys
from typing import get_type_hints

import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.commands.mounting import help_of
from tests.commands.options import option_modules

HEAVY = ("torch", "transformers", "datasets", "pandas", "numpy", "scipy", "matplotlib", "gurobipy", "highspy")


def test_every_command_has_a_stage_that_does_it_and_every_stage_a_command():
    commands = {module.__name__.removeprefix("splitshare.commands.") for module in option_modules()}
    for name in commands:
        stage = importlib.import_module(f"splitshare.stages.{name}")
        assert stage.Options is importlib.import_module(f"splitshare.commands.{name}").Options
        assert callable(stage.run)
    assert commands == set(option_names())


UNITS = {"_per_s": "a second", "_s": "second", "_bytes": "bytes"}


@pytest.mark.parametrize("module", option_modules(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_option_has_a_help_with_its_unit(module):
    hints = get_type_hints(module.Options, include_extras=True)
    for field in dataclasses.fields(module.Options):
        (help_text,) = [m.help or "" for m in hints[field.name].__metadata__ if hasattr(m, "help")]
        unit = next((unit for suffix, unit in UNITS.items() if field.name.endswith(suffix)), "")
        assert help_text or field.name == "ends_with_parent", field.name  # the driver's own, hidden
        assert unit in help_text.lower(), f"{field.name}: {help_text}"


def test_the_first_page_names_what_most_people_use_and_cuts_nothing_off():
    told = CliRunner().invoke(app, ["--help"]).stdout
    first = told.partition("Most used:")[2].partition("Models of your own")[0]
    assert re.findall(r"^  (\S+) ", first, re.MULTILINE) == [
        *("compare", "solve", "evaluate", "trace", "simulate", "capacity", "emulate", "explore", "list")
    ]
    assert " ".join(help_of("splitshare.commands.solve").split()) in " ".join(told.split())
    assert "…" not in told
    assert "..." not in told.partition("Most used:")[2]


@pytest.mark.parametrize(
    ("words", "completed"), [("splitshare so", ["solve"]), ("splitshare list mo", ["models", "modules"])]
)
def test_shells_complete_commands_and_fixed_words(words, completed):
    asked = {"_SPLITSHARE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(app, env=asked, prog_name="splitshare")
    assert result.stdout.split() == completed


def option_names():
    """Names that the command line lists, as modules."""
    from splitshare.cli import Stages

    for name in Stages.order:
        module = importlib.import_module(f"splitshare.commands.{name.replace('-', '_')}")
        inner = getattr(module, "COMMANDS", None)
        yield from [name.replace("-", "_")] if inner is None else (f"{name}.{i.replace('-', '_')}" for i in inner)


def test_what_can_be_asked_is_light_to_import():
    program = "import importlib, sys\n" + "".join(
        f"importlib.import_module({module.__name__!r})\n" for module in option_modules()
    )
    program += f"print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", option_modules(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_help_is_the_first_line_of_the_module(module):
    assert help_of(module.__name__) == module.__doc__.splitlines()[0]
    assert help_of(module.__name__).endswith(".")
