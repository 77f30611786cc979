"""The documentation as a site: it builds without a warning, and everything that its pages point at is there."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from splitshare.figures.registry import figures
from splitshare.schemas import CONTRACTS, contract_of
from tests.docs.commands import ROOT, subcommands
from tests.workflow.repository import Repository


class Page(HTMLParser):
    """What a page points at, and what can be pointed at in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named: dict[str, Any] = dict(attrs)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        self.targets += [named[key] for key in ("href", "src") if named.get(key)]


def broken(site: Path) -> list[str]:
    """Targets within the site that are not there, and pages that ask for something from elsewhere."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not to.is_file() or (to in pages and parts.fragment not in pages[to].anchors | {"", "top"}):
                found.append(f"{path.relative_to(site)}: {target}")
    return found


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text('<p id="there">')
    (tmp_path / "a.html").write_text('<a href="b.html#there"><a href="b.html#gone"><a href="c.html"><img src="d.png">')
    assert broken(tmp_path) == ["a.html: b.html#gone", "a.html: c.html", "a.html: d.png"]


@pytest.mark.slow
def test_the_site(tmp_path: Path) -> None:
    """Built in a copy, by make, notebooks executed; a warning fails it."""
    (tmp_path / "copy").mkdir()
    copy = Repository(tmp_path / "copy")
    for name in ("docs", "paper_figures", "schemas"):
        shutil.copytree(ROOT / name, copy.root / name, ignore=shutil.ignore_patterns("written"), dirs_exist_ok=True)
    for name in ("ARTIFACT.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        shutil.copy(ROOT / name, copy.root)
    built = copy.make("docs", timeout_s=600)
    assert built.returncode == 0, built.stdout + built.stderr
    site = copy.root / "results/site"
    assert broken(site) == []
    assert not subprocess.run(
        ["grep", "-rlE", r"(src|href)=.https?://[^ ]*\.(js|css|woff2?)", "--include=*.html", site],
        capture_output=True,
        check=False,
    ).stdout  # it needs no network to be read
    commands, files, gallery = (Page(site / f"written/{name}.html") for name in ("commands", "files", "gallery"))
    assert {name.replace(" ", "-") for name in subcommands()} <= commands.anchors
    assert {contract_of(record).replace(".", "-").replace("/", "-") for record in CONTRACTS} <= files.anchors
    drawn = {name for figure in figures().values() if "canonical" in figure.scopes for name in figure.drawn}
    assert {f"../_images/{name}.png" for name in drawn} <= set(gallery.targets)
    for notebook in ("verdict", "own_models"):
        text = (site / f"notebooks/{notebook}.html").read_text()
        assert "cell_output" in text
        assert "Traceback" not in text
