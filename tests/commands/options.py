"""The modules that say what each command asks."""

import importlib
import pkgutil
from types import ModuleType

from splitshare import commands

NO_COMMANDS = {"arguments", "mounting", "paths"}


def option_modules() -> list[ModuleType]:
    """All modules of ``splitshare.commands`` that have options."""
    names = [info.name for info in pkgutil.walk_packages(commands.__path__, "splitshare.commands.") if not info.ispkg]
    return [importlib.import_module(name) for name in names if name.rpartition(".")[2] not in NO_COMMANDS]
