"""A wheel also holds specs, pages and the skill of assistants. An editable installation reads them in place."""

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LINKS = re.compile(r"\]\((\S+\.md)\)")


class TextsInWheel(BuildHookInterface[Any]):
    """Adds to the package what `alharness init` and `alharness docs` take from it, at the same paths as here."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        pages = LINKS.findall(Path(self.root, "docs", "llms.txt").read_text(encoding="utf-8"))
        texts = ["specs", ".agents", "docs/llms.txt", *(f"docs/{page}" for page in pages)]
        if version == "standard":
            build_data["force_include"] |= {name: f"alharness/{name}" for name in texts}
