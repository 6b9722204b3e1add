"""Pairs of drawn answers, with the questions to which the trained model's verdicts are answers (SCIR, 2502.08922)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from truing.errors import ModelError
from truing.objectives.algebra.internal import VERDICTS
from truing.rewards.algebra import Prompt
from truing.rewards.judges.local import LocalJudge
from truing.training.examples import ExampleData, Part, SameRow
from truing.training.online.choosing import Rows
from truing.training.online.rollouts import Rollout


@dataclass(frozen=True)
class SelfJudged:
    """Makes a rollout into pairs that the model itself is to judge.

    Answers are paired in the order in which they were drawn. A pair whose two answers are the same has weight 0. Where
    the run's rewards are known, the answer with the higher one is called chosen, so that metrics say how often verdicts
    are right; the loss does not read it.

    Attributes:
        judge: asks the trained model.
        prompt: of a record, by its id.
        longest: tokens that the model can read; ``None`` where it does not say.
    """

    judge: LocalJudge
    prompt: Callable[[str], Prompt]
    longest: int | None = None

    def __call__(self, rollout: Rollout) -> ExampleData:
        own: list[dict[str, Any]] = []
        asked: dict[str, list[dict[str, Any]]] = {name: [] for name in VERDICTS}
        for number, name in enumerate(rollout.ids):
            for start in range(0, len(rollout.completions[number]) - 1, 2):
                first, second = self._ordered(rollout.rewards[number], start)
                texts = rollout.texts[number]
                row = {
                    "id": f"{name}/{start // 2}",
                    "prompt_ids": rollout.prompts[number],
                    "completion_ids": [rollout.completions[number][place] for place in (first, second)],
                    "weight": float(texts[first] != texts[second]),
                }
                own.append(row)
                # Asked in the other order, the second letter is the verdict for the first answer.
                for part, places in zip(VERDICTS, ((first, second), (second, first)), strict=True):
                    asked[part].append(
                        self._question(row, name, [texts[place] for place in places], places[0] != first)
                    )
        parts = {name: Part(ExampleData(Rows(rows), "pairs"), SameRow()) for name, rows in asked.items()}
        return ExampleData(Rows(own), "pairs", parts=parts)

    def _ordered(self, rewards: list[float | None], start: int) -> tuple[int, int]:
        one, other = rewards[start], rewards[start + 1]
        if one is not None and other is not None and other > one:
            return start + 1, start
        return start, start + 1

    def _question(self, row: dict[str, Any], name: str, texts: list[str], exchanged: bool) -> dict[str, Any]:
        tree = self.judge.tree(self.prompt(name), *texts)
        tokens = len(tree.prompt) + max(len(branch) for branch in tree.branches)
        if self.longest is not None and tokens > self.longest:
            raise ModelError(
                f"the question which of two answers is better has {tokens} tokens, and the model reads {self.longest}",
                where=f"record {name!r}",
                fix="lower data.max_prompt_length or online.max_new_tokens",
            )
        letters = [list(branch) for branch in tree.branches]
        return {
            "id": row["id"],
            "prompt_ids": list(tree.prompt),
            "completion_ids": letters[::-1] if exchanged else letters,
            "weight": row["weight"],
        }
