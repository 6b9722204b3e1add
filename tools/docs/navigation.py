"""A hook of mkdocs: the navigation lists every generated page of an objective."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    """Put the pages of the objectives under their index."""
    folder = Path(config.docs_dir) / "objectives"
    names = sorted(path.stem for path in folder.glob("*.md") if path.name != "index.md")
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Objectives" in entry:
            entry["Objectives"] = ["objectives/index.md", *({name: f"objectives/{name}.md"} for name in names)]
    return config
