"""Configuration of the documentation."""

from importlib.metadata import version as installed

project = "alharness"
author = "The alharness developers"
copyright = "2026, The alharness developers"
release = version = installed("alharness")
extensions = ["myst_nb", "sphinx_click", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nb_execution_mode = "off"  # its outputs are kept; the tests run it
html_theme = "furo"
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
