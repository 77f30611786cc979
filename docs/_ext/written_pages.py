"""Pages that are written from what is there: commands, files, figures, the texts at the root; none is edited by hand.

They are written into ``docs/written/`` when a build begins, and only where their text has changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import commands_page
import figures_page
import files_page
import root_pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGES = {"commands": commands_page.page, "files": files_page.page, "gallery": figures_page.page} | root_pages.pages()


def write(application: Sphinx) -> None:
    """Write each page that has changed."""
    folder = Path(application.srcdir) / "written"
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path, text = folder / f"{name}.md", page()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(application: Sphinx) -> dict[str, bool]:
    """Tell Sphinx when to write them."""
    application.connect("builder-inited", write)
    return {"parallel_read_safe": True}
