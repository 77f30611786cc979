"""A stage as a command: its options are read from the command line, it is run, and its result is shown.

A module of ``splitshare.commands`` says what can be asked of a stage: the first line of its text is the help, and
``Options`` a frozen record whose fields say (``typer.Option``, ``typer.Argument``) how they are given. The module of
``splitshare.stages`` with the same name does it: ``run(options)`` does the work, and ``show``, where there is one,
prints what ``run`` returns; item by item, where that is an iterator. A stage is imported when it is run, so that help
and completion are quick.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, get_type_hints

import typer
from typer.core import TyperGroup

from splitshare.commands.arguments import OutputFileOrFolder, OutputFolder
from splitshare.commands.paths import check_paths

PACKAGE, WORK = "splitshare.commands", "splitshare.stages"


class StageGroup(TyperGroup):
    """The stages of a package, each imported when it is asked for; listing them imports none."""

    package = PACKAGE
    order: tuple[str, ...] = ()
    """Names of the commands, as help lists them; a name of a package is a group."""
    panels: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """The same by heading, where help has several."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in order."""
        return list(self.order)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, or ``None``."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        return command_of(f"{self.package}.{cmd_name.replace('-', '_')}") if cmd_name in self.order else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List every command with the first line of its module, without importing it."""
        for heading, names in (self.panels or {"Commands": self.order}).items():
            with formatter.section(heading):
                formatter.write_dl([(name, help_of(f"{self.package}.{name.replace('-', '_')}")) for name in names])


@cache
def command_of(module: str) -> Any:
    """The command of a stage's module."""
    command = importlib.import_module(module)
    if hasattr(command, "COMMANDS"):
        group = type("Group", (StageGroup,), {"package": module, "order": command.COMMANDS})
        return typer.main.get_command(typer_of(cls=group, help=help_of(module)))
    app = typer_of()
    app.command(module.rpartition(".")[2].replace("_", "-"), help=help_of(module))(_callback(command))
    return typer.main.get_command(app)


def typer_of(*, add_completion: bool = False, **settings: Any) -> typer.Typer:
    """An application with the settings that all of ours have; the outermost completes words for shells."""
    app = typer.Typer(
        no_args_is_help="cls" in settings,
        add_completion=add_completion,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        **settings,
    )
    if "cls" in settings:
        app.callback()(_nothing)
    return app


def _nothing() -> None:
    pass


def help_of(module: str) -> str:
    """The first line of a module's text, which is not imported."""
    *_, name = path = module.split(".")[1:]
    file = Path(__file__).parents[1].joinpath(*path)
    file = file / "__init__.py" if file.is_dir() else file.with_name(f"{name}.py")
    with file.open(encoding="utf-8") as text:
        return text.readline().strip().strip('"')


def _callback(command: ModuleType) -> Callable[..., None]:
    """A function whose parameters are the fields of the command's options, and which runs the stage."""
    hints = get_type_hints(command.Options, include_extras=True)

    def called(**values: Any) -> None:
        stage = importlib.import_module(command.__name__.replace(PACKAGE, WORK, 1))
        options = command.Options(**values)
        folders = [name for name, hint in hints.items() if hint == OutputFolder]
        either = [name for name, hint in hints.items() if hint == OutputFileOrFolder]
        check_paths(options, {name: _called(name, hint) for name, hint in hints.items()}, folders, either)
        result = stage.run(options)
        show = getattr(stage, "show", None)
        for item in result if isinstance(result, Iterator) else [result]:
            if show is not None:
                show(item)

    parameters = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=_default(field), annotation=hints[field.name]
        )
        for field in dataclasses.fields(command.Options)
    ]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {field.name: hints[field.name] for field in dataclasses.fields(command.Options)}
    return called


def _called(name: str, hint: Any) -> str:
    """What a field is called on the command line."""
    for given in getattr(hint, "__metadata__", ()):
        if isinstance(given, typer.models.ArgumentInfo):
            return given.metavar or name.upper()
        # What is given first stands as the default until typer makes a parameter of it.
        declared = (getattr(given, "default", None), *(getattr(given, "param_decls", None) or ()))
        for word in declared:
            if isinstance(word, str) and word.startswith("--"):
                return word
    return f"--{name.replace('_', '-')}"


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
