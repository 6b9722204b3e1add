"""A judge behind an endpoint that ranks all answers to a prompt, and is shown examples (CycleAlign, 2310.16271)."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from truing.policies.fingerprint import of_values
from truing.rewards.algebra import Prompt, Rewards, prompt_key
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.asking import Asking
from truing.rewards.judges.patience import Patience
from truing.rewards.judges.reading import read_order
from truing.rewards.judges.remote import (
    Attempts,
    Concurrency,
    Criteria,
    FirstWait,
    Folder,
    KeyFrom,
    MaxTokens,
    Model,
    Price,
    Temperature,
    Timeout,
    Url,
    asking_of,
)
from truing.rewards.judges.usage import Usage
from truing.rewards.judges.wording import CRITERIA, order_question
from truing.rewards.plain import plain
from truing.writing import write_json

# Characters of each text in an example: it is to show an order, not to fill the judge's context.
_LONGEST = 600


@dataclass
class Example:
    """A ranking that the judge is shown before it is asked.

    Attributes:
        prompt: as text.
        answers: the best first.
    """

    prompt: str
    answers: list[str]


@dataclass
class RankingJudge:
    """Where each answer stands among the answers to its prompt that are judged together: 1 for the best, 0 for the
    worst.

    Answers are shown in an order that is drawn from their texts, so that none profits from its place, and the same
    question is asked again in a run that is started again. An answer that is alone is masked.

    Attributes:
        asking: whom, and how.
        criteria: in words.
        example: the last ranking that it was shown.
        kept: file that keeps the example, where a run has named one.
    """

    asking: Asking
    criteria: str
    example: Example | None = None
    kept: Path | None = None
    names: tuple[str, ...] = field(default=("llm-ranking",))

    @property
    def usage(self) -> Usage:
        """Calls, tokens and cost so far."""
        return self.asking.endpoint.usage

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        groups: dict[str, list[int]] = {}
        for row, prompt in enumerate(prompts):
            groups.setdefault(prompt_key(prompt), []).append(row)
        shown = {key: self._shuffled(key, rows, completions) for key, rows in groups.items() if len(rows) > 1}
        values = torch.full((len(completions),), torch.nan, dtype=torch.float64)
        for size in sorted({len(rows) for rows in shown.values()}):
            keys = [key for key, rows in shown.items() if len(rows) == size]
            questions = [
                order_question(
                    transcript(prompts[shown[key][0]]),
                    [completions[row] for row in shown[key]],
                    self.criteria,
                    None if self.example is None else (self.example.prompt, self.example.answers),
                )
                for key in keys
            ]
            found = self.asking(questions, partial(read_order, count=size))
            for key, order in zip(keys, found, strict=True):
                for place, number in enumerate(order or ()):
                    values[shown[key][number]] = 1 - place / (size - 1)
        return Rewards.of(values, self.names, ~values.isnan())

    def show(self, step: int, prompt: Prompt, answers: Sequence[str]) -> None:
        """Be shown a ranking, the best answer first; it replaces the one before it."""
        self.example = Example(transcript(prompt)[-_LONGEST:], [answer[:_LONGEST] for answer in answers])
        if self.kept is not None:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.kept, {"step": step, "prompt": self.example.prompt, "answers": self.example.answers})

    def keep_in(self, folder: Path) -> None:
        """Keep what is shown in a folder, and take up what was shown there before."""
        self.kept = folder / "shown-to-the-judge.json"
        if self.kept.exists():
            found = json.loads(self.kept.read_text(encoding="utf-8"))
            self.example = Example(str(found["prompt"]), [str(answer) for answer in found["answers"]])

    def _shuffled(self, key: str, rows: list[int], completions: Sequence[str]) -> list[int]:
        order = sorted(rows, key=lambda row: completions[row])
        random.Random(of_values([key, *[completions[row] for row in order]])).shuffle(order)
        return order


@plain(
    kind="reward",
    name="llm-ranking",
    summary="Where a model behind an endpoint ranks an answer among all answers to its prompt; with cyclealign it is "
    "shown rankings that were agreed on.",
)
def llm_ranking(
    url: Url = None,
    model: Model = None,
    key_from: KeyFrom = None,
    criteria: Criteria = CRITERIA,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 256,
    concurrency: Concurrency = 8,
    attempts: Attempts = 6,
    timeout: Timeout = 60.0,
    first_wait: FirstWait = 1.0,
    cache: Folder = None,
    price_in: Price = 0.0,
    price_out: Price = 0.0,
) -> RankingJudge:
    """1 for the best of a prompt's answers to 0 for the worst.

    Raises:
        ObjectiveError: without url or model, or if the key is not to be had.
    """
    patience = Patience(attempts, timeout, first_wait)
    usage = Usage(price_in, price_out)
    asking = asking_of(url, model, key_from, temperature, max_tokens, concurrency, patience, cache, usage)
    return RankingJudge(asking, criteria)
