"""Configuration of the documentation."""

from importlib.metadata import version as installed

project = "alharness"
author = "The alharness developers"
copyright = "2026, The alharness developers"
release = version = installed("alharness")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
autodoc_typehints = "none"
