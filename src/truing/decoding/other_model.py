"""A second model in decoding: it must write the tokens of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from truing.decoding.engine import Engine, ModelEngine, Tokens
from truing.decoding.task import Task
from truing.decoding.values import Begun
from truing.errors import ModelError
from truing.policies.growing import Rows


@dataclass(frozen=True)
class NamedEngine:
    """A model that is loaded when it is first needed.

    Args:
        name: folder, hub name, or ``truing/tiny``.
        where: key that names it, for error messages.
    """

    name: str
    where: str

    @cached_property
    def loaded(self) -> ModelEngine:
        """The model.

        Raises:
            ModelError: if it cannot be loaded.
        """
        from truing.rewards.judges.local import load_policy

        return ModelEngine(load_policy(self.name))

    def beside(self, engine: Engine) -> ModelEngine:
        """The model, if it has the same vocabulary as another.

        Raises:
            ModelError: if not.
        """
        own = self.loaded
        if own.work is engine.work:  # it was compared before
            return own
        if isinstance(engine, ModelEngine):
            theirs = engine.policy.tokenizer
            mine = own.policy.tokenizer
            if mine is None or theirs is None or mine.get_vocab() != theirs.get_vocab():
                raise ModelError(
                    f"{self.name!r} has another vocabulary than the model that answers",
                    where=self.where,
                    allowed="a model with the same tokenizer, e.g. one trained from the model that answers",
                )
        own.work = engine.work
        return own


@dataclass(frozen=True)
class ByEngine:
    """Another model goes on; an answer so far is run once, for all tokens that are weighed.

    Args:
        engine: the model, or who loads it.
    """

    engine: Engine | NamedEngine

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        self._engine(task)

    def _engine(self, task: Task) -> Engine:
        return self.engine.beside(task.engine) if isinstance(self.engine, NamedEngine) else self.engine

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Begun:
        """See :class:`~truing.decoding.values.Continuing`."""
        import torch

        engine = self._engine(task)
        before: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for row, (item, tokens) in enumerate(zip(items, rows.tokens, strict=True)):
            before.setdefault((item, tuple(tokens[:-1])), []).append(row)
        most = max(len(group) for group in before.values())
        grown = engine.rows([[*task.plain(item), *head] for item, head in before], most)
        places = {
            row: base * most + place
            for base, group in enumerate(before.values())
            for place, row in enumerate(group)
        }
        grown = grown.take([places[row] for row in range(len(items))])
        last = torch.tensor([tokens[-1] for tokens in rows.tokens], device=grown.logits.device)
        grown.push(last)
        heads: list[Tokens] = [list(tokens[:-1]) for tokens in rows.tokens]
        return Begun(heads, grown)
