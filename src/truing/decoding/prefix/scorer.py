"""A learned prefix scorer: a file, and the value that decoding reads from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from truing.decoding.engine import Engine, ModelEngine
from truing.decoding.foresight import Most
from truing.decoding.prefix.states import StatefulRows, with_states
from truing.decoding.rolling import open_ended
from truing.decoding.task import Task
from truing.errors import ModelError
from truing.policies.growing import Rows
from truing.writing import atomic_path

FORMAT = "truing prefix scorer 1"
FILE = "prefix.safetensors"


@dataclass(frozen=True)
class PrefixScorer:
    """V(x, y_≤t) = w·h + c of the state h after the last token.

    Attributes:
        weights: w, and c behind it.
        model: fingerprint of the weights whose states it reads.
        about: how it was learned, and how well.
    """

    weights: Float[Tensor, " width"]
    model: str
    about: dict[str, Any] = field(default_factory=dict)

    def __call__(self, hidden: Float[Tensor, "rows hidden"]) -> Float[Tensor, " rows"]:
        """Values of states."""
        return hidden.double().cpu() @ self.weights[:-1] + self.weights[-1]

    def save(self, folder: Path) -> None:
        """Write a folder with one safetensors file; facts stand in its head as JSON."""
        from safetensors.torch import save_file

        facts = {"format": FORMAT, "model": self.model, "about": self.about}
        with atomic_path(folder / FILE) as partial:
            save_file({"weights": self.weights.contiguous()}, str(partial), metadata={"truing": json.dumps(facts)})

    @classmethod
    def load(cls, folder: Path, where: str = "value") -> PrefixScorer:
        """Read a folder that :meth:`save` wrote.

        Raises:
            ModelError: if there is none, or it is something else.
        """
        from safetensors import SafetensorError, safe_open

        path = folder / FILE
        try:
            with safe_open(str(path), framework="pt") as stored:
                facts = json.loads((stored.metadata() or {})["truing"])
                if facts["format"] != FORMAT:
                    raise KeyError("format")
                return cls(stored.get_tensor("weights"), str(facts["model"]), dict(facts["about"]))
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ModelError(
                f"{str(folder)!r} is no folder of a prefix scorer: {str(error).splitlines()[0]}",
                where=where,
                allowed="mean, soft, or a folder that `truing reward prefix` wrote",
            ) from None

    def check(self, engine: Engine) -> None:
        """Refuse a model with other weights than those whose states it learned from.

        Raises:
            ModelError: see above.
        """
        if isinstance(engine, ModelEngine) and fingerprint(engine) != self.model:
            raise ModelError(
                "the prefix scorer was learned from the states of a model with other weights",
                where="decode.value",
                fix="train one for this model with `truing reward prefix`",
            )


def fingerprint(engine: Engine) -> str:
    """Of the weights of a model; the same for all exact worlds."""
    from truing.policies.fingerprint import of_parameters

    return of_parameters(engine.policy.inner) if isinstance(engine, ModelEngine) else ""


@dataclass(frozen=True)
class OfPrefixes:
    """What a scorer says of unfinished answers; of finished ones their reward, where there are rewards.

    Args:
        scorer: learned.
    """

    scorer: PrefixScorer

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        self.scorer.check(task.engine)

    def most(self, task: Task, at: int) -> Most:
        """See :class:`~truing.decoding.foresight.BoundedValue`."""
        return Most(rewards=int(task.worth is not None))

    def begun(self, task: Task, rows: Rows) -> StatefulRows:
        """Empty answers whose states are kept while they grow."""
        return with_states(task.engine, rows)

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Float[Tensor, " rows"]:
        """Values of answers that began with :meth:`begun`."""
        hidden: Tensor = rows.hidden  # type: ignore[attr-defined]
        values = self.scorer(hidden)
        limit, ends = task.sampling.max_new_tokens, task.engine.ends
        done = [row for row, tokens in enumerate(rows.tokens) if not open_ended(tokens, ends, limit)]
        if task.worth is not None and done:
            asked = [items[row] for row in done]
            values[done] = task.worth(asked, task.texts(asked, [rows.tokens[row] for row in done]))
        return values


@runtime_checkable
class Beginning(Protocol):
    """A value that is read from something that answers keep while they grow."""

    def begun(self, task: Task, rows: Rows) -> Rows:
        """Empty answers that keep it."""


def begun(value: object, task: Task) -> Rows:
    """One empty answer to each prompt of a task, as a value wants them."""
    rows = task.engine.rows(task.encoded, 1)
    return value.begun(task, rows) if isinstance(value, Beginning) else rows
