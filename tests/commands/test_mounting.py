"""Commands and stages: what is asked is light and stands once, and what does it has the same name."""

import importlib
import subprocess
import sys

import pytest

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
