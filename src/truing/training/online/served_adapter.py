"""The trained adapter on a server of vLLM: written to disk, and loaded there while the server runs."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import nn

from truing.errors import RunError
from truing.policies.fingerprint import of_trained, of_values
from truing.rewards.judges.posting import Server, UnreadableError
from truing.writing import atomic_path

FOLDER = "sampler"


class ServedAdapter:
    """Keeps the adapter on a server the same as the one that is trained.

    The server must have been started with ``--enable-lora`` and with the environment variable
    ``VLLM_ALLOW_RUNTIME_LORA_UPDATING`` set to ``True``. An adapter's name there is made of the run's folder and of
    the weights, so that a name never stands for two things, and a run that goes on finds what it has loaded.

    Args:
        server: up to ``/v1``.
        model: with the adapter, as peft wraps it.
        output: the run's folder, which the server must see at the same path.
    """

    def __init__(self, server: Server, model: nn.Module, output: Path) -> None:
        self.server = server
        self.model = model
        self.folder = (output / FOLDER).resolve()
        self.prefix = f"truing-{of_values(str(self.folder))[:8]}-"

    def name(self) -> str:
        """What the server calls the adapter as it is now."""
        return self.prefix + of_trained(self.model)[:16]

    def load(self) -> str:
        """Have the adapter as it is now on the server, and none of this run's earlier ones. Returns its name.

        Raises:
            RunError: if the server refuses, or does not answer.
        """
        name = self.name()
        served = self._served()
        for other in served:
            if other.startswith(self.prefix) and other != name:
                self._post("/unload_lora_adapter", {"lora_name": other}, partial(self._lacks, other))
        if name not in served:
            path = self.folder / name
            if not path.exists():
                with atomic_path(path) as unfinished:
                    self.model.save_pretrained(unfinished)  # type: ignore[operator]
            wanted = {"lora_name": name, "lora_path": str(path)}
            self._post("/load_lora_adapter", wanted, partial(self._has, name))
        for old in self.folder.glob(f"{self.prefix}*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)
        return name

    def _served(self) -> list[str]:
        def read(body: bytes) -> list[str]:
            try:
                return [str(model["id"]) for model in json.loads(body)["data"]]
            except (ValueError, KeyError, TypeError, RecursionError):
                raise UnreadableError(f"the reply is no list of models: {self.server.shown(body)}") from None

        return self.server.exchange("/models", None, read, threading.Event())

    def _has(self, name: str) -> bool:
        return name in self._served()

    def _lacks(self, name: str) -> bool:
        return name not in self._served()

    def _post(self, path: str, wanted: dict[str, str], done: Callable[[], bool]) -> None:
        try:
            self.server.exchange(path, wanted, bytes, threading.Event())
        except RunError:
            # A reply that was lost: the second request is refused, because the first was heard.
            if not done():
                raise
