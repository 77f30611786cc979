"""How a method is spelled in one word: an algorithm with parameters, or a small grid of them (ours).

``s2m3-greedy[order=memory]`` is one, ``s2m3-greedy[order=memory,compute,retry=true,false]`` are four: what has no ``=``
is a further value of the parameter before it.
"""

from __future__ import annotations

import itertools

from splitshare.errors import InputError


def expand(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The algorithm, and its parameters as ``name=value``, of every method that ``text`` names.

    Args:
        text: a name or ``file.py:Class``, with ``[name=value,...]`` behind it or without.

    Raises:
        InputError: the brackets are not of that form.
    """
    if not text.endswith("]"):
        return [(text, ())]
    algorithm, bracket, inner = text[:-1].rpartition("[")
    if not bracket or not algorithm:
        raise InputError("--algorithm", text, "write parameters as name[parameter=value,...]")
    values: dict[str, list[str]] = {}
    for piece in inner.split(","):
        name, equals, value = piece.strip().partition("=")
        if equals and name in values:
            raise InputError("--algorithm", text, f"{name!r} is given twice; write {name}={values[name][0]},{value}")
        if equals and name and value:
            values[name] = [value]
        elif not equals and name and values:
            list(values.values())[-1].append(name)
        else:
            raise InputError("--algorithm", text, f"{piece!r} is no parameter; write name[parameter=value,...]")
    for name, given in values.items():
        if len(set(given)) < len(given):
            raise InputError("--algorithm", text, f"{name!r} has the same value twice; keep one")
    pairs = [[f"{name}={value}" for value in given] for name, given in values.items()]
    return [(algorithm, chosen) for chosen in itertools.product(*pairs)]


def single(text: str) -> tuple[str, tuple[str, ...]]:
    """The one method that ``text`` names.

    Raises:
        InputError: the brackets are wrong, or name several.
    """
    first, *others = expand(text)
    if others:
        raise InputError("--algorithm", text, f"names {len(others) + 1} methods where one is asked for; give one value")
    return first


def titled(name: str, parameters: tuple[str, ...] | list[str]) -> str:
    """What answers call an algorithm of this name: other parameters than its own are said too."""
    return f"{name}[{','.join(parameters)}]" if parameters else name
