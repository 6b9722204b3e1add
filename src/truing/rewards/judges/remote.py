"""A judge behind an OpenAI-compatible endpoint: a score for each answer, or a verdict on two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from truing.cache import cache_folder
from truing.errors import ObjectiveError
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.functions.parameters import Column
from truing.rewards.judges.asking import Asking
from truing.rewards.judges.endpoint import Endpoint, key_from_environment
from truing.rewards.judges.pairs import AgainstReference
from truing.rewards.judges.patience import Patience
from truing.rewards.judges.reading import ScoreReader, read_verdict
from truing.rewards.judges.reply_cache import ReplyCache
from truing.rewards.judges.usage import Usage
from truing.rewards.judges.wording import CRITERIA, pair_question, score_question
from truing.rewards.plain import plain

Url = Annotated[
    str | None, Doc("endpoint, up to and without /chat/completions", "e.g. http://localhost:8000/v1; no key in it")
]
Model = Annotated[str | None, Doc("name of the judge's model, as the server knows it")]
KeyFrom = Annotated[
    str | None, Doc("environment variable that holds the key; the key itself has no place in a recipe", "a name")
]
Criteria = Annotated[str, Field(min_length=1), Doc("what the judge looks at, in words")]
Low = Annotated[float, Field(allow_inf_nan=False), Doc("score of the worst answer", "low < high")]
High = Annotated[float, Field(allow_inf_nan=False), Doc("score of the best answer", "low < high")]
Temperature = Annotated[float, Field(ge=0, le=2), Doc("of the judge", "0 to 2; 0 says the same thing every time")]
MaxTokens = Annotated[int, Field(gt=0), Doc("longest reply, tokens", "enough for a sentence and a score")]
Concurrency = Annotated[int, Field(gt=0, le=256), Doc("questions that are open at a time", "1 to 256")]
Attempts = Annotated[
    int, Field(gt=0, le=100), Doc("how often a question is asked before the run stops", "1 to 100")
]
Timeout = Annotated[float, POSITIVE, Doc("seconds for one attempt", "timeout > 0")]
FirstWait = Annotated[
    float, NON_NEGATIVE, Doc("seconds before the second attempt; doubled up to a minute", "first_wait >= 0")
]
Folder = Annotated[str | None, Doc("folder for replies", "by default in the cache of Truing")]
Price = Annotated[float, NON_NEGATIVE, Doc("of a million tokens, for the cost in the record", "at least 0")]


@dataclass(frozen=True)
class PointwiseJudge:
    """A score for each answer; answers of which no reply could be read are masked.

    Args:
        asking: whom, and how.
        criteria: in words.
        low, high: bounds of the score.
    """

    asking: Asking
    criteria: str
    low: float
    high: float
    names: tuple[str, ...] = ("llm-judge",)

    @property
    def usage(self) -> Usage:
        """Calls, tokens and cost so far."""
        return self.asking.endpoint.usage

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        questions = [
            score_question(prompt, completion, self.criteria, self.low, self.high)
            for prompt, completion in zip(prompts, completions, strict=True)
        ]
        found = self.asking(questions, ScoreReader(self.low, self.high))
        values = torch.tensor([torch.nan if value is None else value for value in found], dtype=torch.float64)
        return Rewards.of(values, self.names, ~values.isnan())


@dataclass(frozen=True)
class PairwiseJudge:
    """A verdict on two answers, asked for in both orders.

    Args:
        asking: whom, and how.
        criteria: in words.
    """

    asking: Asking
    criteria: str

    @property
    def usage(self) -> Usage:
        """Calls, tokens and cost so far."""
        return self.asking.endpoint.usage

    def orders(
        self, prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> Float[Tensor, "pairs two"]:
        """Share of a win for ``first[i]``: 1, 0 or one half for a tie; where it stands first, and second.

        ``nan`` where no reply could be read.
        """
        triples = list(zip(prompts, first, second, strict=True))
        questions = [
            pair_question(prompt, *answers, self.criteria)
            for prompt, own, other in triples
            for answers in ((own, other), (other, own))
        ]
        found = self.asking(questions, read_verdict)
        table = torch.tensor([torch.nan if value is None else value for value in found], dtype=torch.float64)
        table = table.reshape(-1, 2)
        return torch.stack([table[:, 0], 1 - table[:, 1]], 1)

    def compare(
        self, prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> Float[Tensor, " pairs"]:
        """Wins minus losses of ``first[i]`` over both orders, from −1 to 1; 0 where they contradict each other."""
        return 2 * self.orders(prompts, first, second).mean(1) - 1

    def consistent(
        self, prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> Bool[Tensor, " pairs"]:
        """Whether the verdict is the same in both orders."""
        one, other = self.orders(prompts, first, second).unbind(1)
        return one == other


@plain(
    kind="reward",
    name="llm-judge",
    summary="The score that a language model behind an OpenAI-compatible endpoint gives an answer.",
)
def llm_judge(
    url: Url = None,
    model: Model = None,
    key_from: KeyFrom = None,
    criteria: Criteria = CRITERIA,
    low: Low = 1.0,
    high: High = 10.0,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 256,
    concurrency: Concurrency = 8,
    attempts: Attempts = 6,
    timeout: Timeout = 60.0,
    first_wait: FirstWait = 1.0,
    cache: Folder = None,
    price_in: Price = 0.0,
    price_out: Price = 0.0,
) -> PointwiseJudge:
    """A number from low to high.

    Raises:
        ObjectiveError: without url or model, if low is not below high, or the key is not to be had.
    """
    if low >= high:
        raise ObjectiveError(f"scores from {low:g} to {high:g} leave no room", allowed="low < high")
    patience = Patience(attempts, timeout, first_wait)
    asking = asking_of(
        url, model, key_from, temperature, max_tokens, concurrency, patience, cache, Usage(price_in, price_out)
    )
    return PointwiseJudge(asking, criteria, low, high)


@plain(
    kind="reward",
    name="llm-judge-pairs",
    summary="Whether a language model behind an endpoint prefers an answer to the record's own, asked in both "
    "orders.",
)
def llm_judge_pairs(
    column: Column = "answer",
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
) -> AgainstReference:
    """1 where it wins in both orders, −1 where it loses in both, 0 where the orders contradict each other.

    Raises:
        ObjectiveError: without url or model, or if the key is not to be had.
    """
    patience = Patience(attempts, timeout, first_wait)
    asking = asking_of(
        url, model, key_from, temperature, max_tokens, concurrency, patience, cache, Usage(price_in, price_out)
    )
    return AgainstReference(PairwiseJudge(asking, criteria), "llm-judge-pairs", column)


def asking_of(
    url: str | None,
    model: str | None,
    key_from: str | None,
    temperature: float,
    max_tokens: int,
    concurrency: int,
    patience: Patience,
    folder: str | None,
    usage: Usage,
) -> Asking:
    """A way to ask the model of an endpoint.

    Raises:
        ObjectiveError: without url or model, or if the key is not to be had.
    """
    if not url or not model:
        raise ObjectiveError(
            "the judge has no url or no model",
            allowed="both",
            fix="e.g. {url: http://localhost:8000/v1, model: NAME}",
        )
    sampling = {"temperature": temperature, "max_tokens": max_tokens}
    endpoint = Endpoint(url, model, key_from_environment(key_from), patience, usage, sampling)
    kept = Path(folder).expanduser() if folder else cache_folder() / "judges"
    return Asking(endpoint, ReplyCache(kept), concurrency)
