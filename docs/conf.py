"""Sphinx configuration."""

import tomllib
from pathlib import Path

project = "django-automate-api"
author = "The django-automate-api maintainers"
copyright = "2026, " + author
release = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]["version"]
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True
html_theme = "furo"
html_title = f"{project} {release}"
