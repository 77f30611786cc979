"""How the documentation is built: `make docs`. Nothing is fetched; notebooks are executed."""

from __future__ import annotations

import sys
from pathlib import Path

import sphinx.ext.napoleon

from splitshare.version import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "splitshare"
author = "The splitshare authors"
copyright = author
release = version = __version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
    "written_pages",  # of commands, files and figures, from the code and the committed figures
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "splitshare"
html_theme_options = {"sidebar_hide_name": False}
html_show_sourcelink = False
html_show_copyright = False
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["splitshare.css"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
html_math_renderer = "mathml"
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = "$ "

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries are named, not linked

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_use_rtype = False

# A colon in what is said of a field is a colon: napoleon would read what stands before it as a type.
docstring = getattr(sphinx.ext.napoleon, "GoogleDocstring")  # noqa: B009 (it is not exported by name)
docstring._parse_attribute_docstring = lambda self: list(self._consume_to_end())
