"""Where Truing keeps what it can compute again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$TRUING_CACHE``, else ``~/.cache/truing``."""
    return Path(os.environ.get("TRUING_CACHE") or Path.home() / ".cache" / "truing")
