"""The texts at the root of the repository as pages of the site: the same words, their links turned."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = {
    "contributing": "CONTRIBUTING.md",
    "artifact": "ARTIFACT.md",
    "security": "SECURITY.md",
    "changes": "CHANGELOG.md",
}


def pages() -> dict[str, Callable[[], str]]:
    """What writes each page, by its name."""
    return {name: partial(page, file) for name, file in TEXTS.items()}


def page(file: str) -> str:
    """A text with its links seen from ``docs/written/``; what is no page and no file is named without a link."""
    return re.sub(r"\[([^\]]+)\]\(([^)#]+)(#[^)]*)?\)", _turned, (ROOT / file).read_text(encoding="utf-8"))


def _turned(link: re.Match[str]) -> str:
    text, target, anchor = link[1], link[2], link[3] or ""
    if "://" in target:
        return link[0]
    names = {file: name for name, file in TEXTS.items()}
    if target in names:
        return f"[{text}]({names[target]}.md{anchor})"
    if target.startswith("docs/"):
        return f"[{text}](../{target.removeprefix('docs/')}{anchor})"
    return f"[{text}](../../{target})" if (ROOT / target).is_file() and not target.endswith(".md") else text
