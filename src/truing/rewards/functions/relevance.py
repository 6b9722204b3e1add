"""R3, the regularised relevance reward (2402.03469): relevance that length and repetition cannot fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.errors import DataError
from truing.parameters import Doc
from truing.registry import Paper
from truing.rewards.algebra import Columns, Prompt, Rewards
from truing.rewards.functions.parameters import Column
from truing.rewards.functions.prompt_text import query
from truing.rewards.functions.repetition import Size, distinct_share
from truing.rewards.functions.rules import column, masked, missing
from truing.rewards.functions.similarity import Encoder, Similarity, TfIdf
from truing.rewards.method import reward

Combine = Literal["product", "mean"]

CombineBy = Annotated[
    Combine,
    Doc("how the terms make one number; the product is 0 where any term is", "product, or mean (a mixture)"),
]
Words = Annotated[
    int,
    Field(gt=0),
    Doc("length in words at which more words stop counting", "length > 0; about that of good answers"),
]
Kind = Annotated[
    str | None,
    Doc(
        "column that says of each prompt whether it is open (many good answers) or closed (one right answer)",
        "a column with the values open and closed; without it every prompt is open",
    ),
]
Embeddings = Annotated[
    str | None,
    Doc("folder or hub name of an encoder, e.g. of the Contriever family", "TF-IDF where it is left out"),
]

_KINDS = ("open", "closed")


@dataclass(frozen=True)
class Relevance:
    """The reward, and its terms.

    Args:
        similarity: of two texts, in [0, 1].
        combine: product, or mean.
        length: words at which the length incentive is 1.
        ngram: of the repetition penalty.
        kind: column that says open or closed; ``None`` if all prompts are open.
        answer: column with reference answers, read where prompts are closed.
    """

    similarity: Similarity
    combine: Combine
    length: int
    ngram: int
    kind: str | None
    answer: str
    names: tuple[str, ...] = ("r3-relevance",)

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.kind is None else (self.kind, self.answer)

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        count = len(completions)
        terms = self.terms(prompts, completions)
        worth = self._together([terms["query"], terms["length"], terms["variety"]])
        why: dict[int, str] = {}
        if self.kind is not None:
            kinds = column(columns, self.kind, count, self.names[0])
            references = column(columns, self.answer, count, self.names[0])
            closed = [row for row, kind in enumerate(kinds) if self._is_closed(kind, row)]
            why = {row: "it is empty" for row in closed if missing(references[row])}
            rows = torch.tensor([row for row in closed if row not in why], dtype=torch.long)
            near = self.similarity(
                [str(references[row]) for row in rows.tolist()], [completions[row] for row in rows.tolist()]
            )
            worth[rows] = self._together([near, terms["variety"][rows]])
        return masked(worth, self.names[0], self.answer, why)

    def terms(
        self, prompts: Sequence[Prompt], completions: Sequence[str]
    ) -> Mapping[str, Float[Tensor, " answers"]]:
        """What an open prompt's reward is made of: relevance to the query, length incentive, variety of n-grams."""
        lengths = [min(len(completion.split()) / self.length, 1.0) for completion in completions]
        variety = [distinct_share(completion, self.ngram) for completion in completions]
        return {
            "query": self.similarity([query(prompt) for prompt in prompts], completions),
            "length": torch.tensor(lengths, dtype=torch.float64),
            "variety": torch.tensor(variety, dtype=torch.float64),
        }

    def _together(self, terms: Sequence[Tensor]) -> Float[Tensor, " answers"]:
        table = torch.stack(list(terms))
        return table.prod(0) if self.combine == "product" else table.mean(0)

    def _is_closed(self, kind: Any, row: int) -> bool:
        if kind not in _KINDS:
            raise DataError(
                f"{kind!r} does not say what kind of prompt this is",
                where=f"row {row}, column {self.kind!r}",
                allowed=" or ".join(_KINDS),
            )
        return bool(kind == "closed")


@reward(
    name="r3-relevance",
    slug="r3-relevance",
    paper=Paper("Preference-free Alignment Learning with Regularized Relevance Reward", 2024, "2402.03469"),
    summary="How relevant an answer is to the query, or to a reference answer, times terms that keep it from "
    "being short or repetitive.",
    formula="open: QR · LI · RP; closed: AR · RP",
    legend=(
        "QR: cosine of query and answer, at least 0",
        "AR: cosine of reference answer and answer, at least 0",
        "LI: min(words / length, 1), the length incentive",
        "RP: different n-grams / n-grams, 1 for an answer that is too short to have one",
    ),
    use_when="There are prompts but no preferences, and a reward model would favour long answers that miss the "
    "subject.",
    avoid_when="Quality is more than being on the subject: nothing here notices errors, and a copy of the query "
    "has QR = 1, so that only length and repetition speak against it. Watch the overlap of answers with their "
    "prompts.",
    requires=("prompts", "reference answers, for closed prompts"),
    cost="a tenth of a millisecond an answer with TF-IDF; with an encoder its forward pass over prompt and answer",
    aliases=("r3",),
)
def r3_relevance(
    combine: CombineBy = "product",
    length: Words = 100,
    ngram: Size = 3,
    kind: Kind = None,
    answer: Column = "answer",
    encoder: Embeddings = None,
) -> Relevance:
    """2402.03469. How it combines the terms could not be looked up, so that ``combine`` is open; product is assumed."""
    similarity = TfIdf() if encoder is None else Encoder.load(encoder)
    return Relevance(similarity, combine, length, ngram, kind, answer)
