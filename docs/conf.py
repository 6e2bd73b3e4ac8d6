"""Configuration of the documentation."""

import os
import shutil
from importlib.metadata import version as installed

from sphinx.application import Sphinx

project = "alharness"
author = "The alharness developers"
copyright = "2026, The alharness developers"
release = version = installed("alharness")
extensions = ["myst_nb", "sphinx_click", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nb_execution_mode = "off"  # its outputs are kept; the tests run it
html_theme = "furo"
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")
smartquotes_action = "qe"  # `--set` keeps its hyphens
exclude_patterns = ["_build", "jupyter_execute"]  # what a build leaves is no page of the next one
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
default_role = "literal"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
nitpicky = True
# Classes of other projects, whose documentation is not at hand, private ones, and type variables.
nitpick_ignore_regex = [("py:.*", r"(?!alharness).*|alharness\.engine\..*|.*\._\w+|.*\.[A-Z]")]


def setup(app: Sphinx) -> None:
    app.connect("build-finished", add_markdown)


def add_markdown(app: Sphinx, error: Exception | None) -> None:
    """Put llms.txt, and each page as Markdown, next to the HTML, so that the links of llms.txt lead somewhere."""
    for path in [*app.srcdir.glob("llms.txt"), *app.srcdir.rglob("*.md")]:
        target = app.outdir / path.relative_to(app.srcdir)
        if error is None and app.builder.format == "html" and target.parent.is_dir():
            shutil.copyfile(path, target)
