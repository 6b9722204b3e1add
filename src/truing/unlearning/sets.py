"""One set of questions under one model: every metric, one number for each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from truing.errors import DataError
from truing.evaluation.samples import answer
from truing.policies.causal import DEFAULT_SCORING_TOKENS, CausalPolicy
from truing.policies.generation import Sampling
from truing.statistics import share
from truing.unlearning.items import Item
from truing.unlearning.metrics.answers import AnswerScores, Encoded, encode, score
from truing.unlearning.metrics.extraction import extraction_strength
from truing.unlearning.metrics.probability import probability, probability_among
from truing.unlearning.metrics.rouge import rouge_l_recall
from truing.unlearning.metrics.truth_ratio import Averaging, indifference, log_truth_ratio, truthfulness


@dataclass(frozen=True)
class How:
    """Settings that change what is measured.

    Attributes:
        chat_template: for tokenizers that have none.
        max_new_tokens: longest generated answer; 0 leaves generation, and with it ROUGE, out.
        averaging: of wrong answers in the truth ratio; see :func:`~truing.unlearning.metrics.truth_ratio`.
        budget: tokens in one forward pass; changes speed and memory only.
    """

    chat_template: str | None = None
    max_new_tokens: int = 64
    averaging: Averaging = "arithmetic"
    budget: int = DEFAULT_SCORING_TOKENS


@dataclass(frozen=True)
class SetMeasures:
    """Metrics of one set.

    Attributes:
        encoded: the questions.
        scores: log-probabilities of their answers.
        values: metrics by name, one number for each question.
        log_truth_ratio: ``None`` where the questions have no wrong answers.
        texts: generated answers; empty without generation.
    """

    encoded: Encoded
    scores: AnswerScores
    values: dict[str, np.ndarray]
    log_truth_ratio: np.ndarray | None
    texts: list[str]

    @property
    def utility_values(self) -> dict[str, np.ndarray]:
        """The three that enter the utility, or those that are there."""
        wanted = ("probability", "rouge", "truthfulness")
        return {name: self.values[name] for name in wanted if name in self.values}

    def as_dict(self) -> dict[str, Any]:
        """Every metric's mean, a number from 0 to 1, with its 95 % interval over questions."""
        return {name: share(values).as_dict() for name, values in self.values.items()}

    def rows(self) -> list[dict[str, Any]]:
        """One mapping for each question, for a file beside the report."""
        found = []
        for number, item in enumerate(self.encoded.items):
            row: dict[str, Any] = {"question": item.question, "answer": item.answer}
            if self.texts:
                row["generated"] = self.texts[number]
            row |= {name: round(float(values[number]), 6) for name, values in self.values.items()}
            found.append(row)
        return found


def measure_set(
    policy: CausalPolicy,
    tokenizer: PreTrainedTokenizerBase,
    items: Sequence[Item],
    how: How,
    *,
    among: bool = False,
    name: str = "",
) -> SetMeasures:
    """Measure one set.

    ``values`` has ``probability``, ``extraction_strength``, with generation ``rouge`` (recall of ROUGE-L), and where
    the questions have wrong answers ``truthfulness`` and ``indifference`` (see the truth ratio).

    Args:
        policy: the model.
        tokenizer: of the model.
        items: the questions.
        how: settings.
        among: whether the probability is a share of that of all alternatives, as for multiple choice.
        name: of the set, for messages.

    Raises:
        DataError: if some questions have wrong answers and others none.
        ModelError: if the model gives no numbers.
    """
    judged = _has_wrong_answers(items, name)
    encoded = encode(items, tokenizer, how.chat_template)
    scores = score(policy, encoded, budget=how.budget)
    values = {"probability": probability_among(scores) if among and judged else probability(scores)}
    texts: list[str] = []
    if how.max_new_tokens > 0:
        greedy = Sampling(max_new_tokens=how.max_new_tokens, temperature=0.0)
        texts = answer(policy, encoded.prompts, greedy).texts
        values["rouge"] = np.array(
            [rouge_l_recall(text, item.answer) for text, item in zip(texts, items, strict=True)]
        )
    ratio = log_truth_ratio(scores, how.averaging) if judged else None
    if ratio is not None:
        values |= {"truthfulness": truthfulness(ratio), "indifference": indifference(ratio)}
    values["extraction_strength"] = extraction_strength(scores)
    return SetMeasures(encoded, scores, values, ratio, texts)


def _has_wrong_answers(items: Sequence[Item], name: str) -> bool:
    lacking = [number for number, item in enumerate(items, start=1) if not item.perturbed_answer]
    if lacking and len(lacking) < len(items):
        raise DataError(
            f"{len(lacking)} of {len(items)} questions have no wrong answers, the others have",
            where=f"{name or 'the set'}, question {lacking[0]}: {items[lacking[0] - 1].question!r}",
            fix="give all of them `perturbed_answer`, or none: one average must not mix the two",
        )
    return not lacking
