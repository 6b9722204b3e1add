"""Replies of judges on disk: a question that was answered is never asked again, whatever happened since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.writing import write_json


@dataclass(frozen=True)
class ReplyCache:
    """One small file for each reply.

    Args:
        folder: made when the first reply is kept.
    """

    folder: Path

    def key(self, model: str, messages: Sequence[Mapping[str, str]], sampling: Mapping[str, Any]) -> str:
        """The name of a question: model, messages and sampling settings decide it, and nothing else."""
        asked = {"model": model, "messages": [dict(message) for message in messages], "sampling": dict(sampling)}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> str | None:
        """The reply; ``None`` where there is none, or its file is damaged."""
        try:
            found = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        reply = found.get("reply") if isinstance(found, dict) else None
        return reply if isinstance(reply, str) else None

    def put(self, key: str, reply: str) -> None:
        """Keep a reply; its file is complete or not there.

        Raises:
            RunError: if the disk is full.
        """
        write_json(self._path(key), {"reply": reply})

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
