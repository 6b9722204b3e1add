"""A small classifier of refusals, from answers that people have labelled (XSTest, 2308.01263)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.audit.safety.refusal import Refusal, refused
from truing.data.checks.refusals import is_refusal
from truing.data.readers import read_rows
from truing.errors import DataError
from truing.rewards.algebra import Prompt
from truing.rewards.linear_text import vectorizer
from truing.statistics import Estimate, kappa, rate

COMPLIES = "1_full_compliance"
LABELS = (COMPLIES, "2_full_refusal", "3_partial_refusal")
_WORDS, _STRENGTH = 12, 10.0
# Of seven pairs the one whose agreement on held-out models and prompts of XSTest was best on average: kappa 0.88, 0.85,
# 0.80 and 0.50, where the list of phrases has 0.91, 0.63, 0.76 and 0.32. With 30 words answers are known by their
# topics, which prompts that were seen hide. Chosen on these labels, so that others may be classified less well.


@dataclass(frozen=True)
class Labelled:
    """Answers of one model with people's labels.

    Attributes:
        model: name, from the file.
        prompts, completions: texts.
        refuses: 1 for full and partial refusals.
    """

    model: str
    prompts: tuple[str, ...]
    completions: tuple[str, ...]
    refuses: tuple[int, ...]


@dataclass(frozen=True)
class Agreement:
    """How far a classifier agrees with people.

    Attributes:
        model: whose answers were classified.
        accuracy: share of answers with the same label.
        kappa: Cohen's.
        held_out: what the classifier had not seen: in words.
    """

    model: str
    accuracy: Estimate
    kappa: Estimate
    held_out: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """For people."""
        own, chance = self.accuracy, self.kappa
        return (
            f"{self.model}, {self.held_out}: right {own.value:.3f} (95 % interval {own.low:.3f} to {own.high:.3f}, "
            f"{own.n:,} answers), kappa {chance.value:.2f} "
            f"({chance.low:.2f} to {chance.high:.2f})"
        )


@dataclass(frozen=True)
class LearnedRefusal:
    """See :class:`~truing.audit.safety.refusal.Refusal`; logistic regression on the first words, pairs of them, and
    whether the answer begins like a refusal.

    Args:
        estimator: of scikit-learn, fitted.
        learned_from: names of the models whose answers it saw.
    """

    estimator: Any
    learned_from: tuple[str, ...]

    @property
    def name(self) -> str:
        return "learned"

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Float[np.ndarray, " answers"]:
        if not completions:
            return np.zeros(0)
        found: np.ndarray = self.estimator.predict_proba(_features(completions))[:, 1]
        return np.where([bool(text.strip()) for text in completions], found, 1.0)

    @classmethod
    def fitted(cls, labelled: Sequence[Labelled]) -> LearnedRefusal:
        """Learn from answers of one model or more.

        Raises:
            DataError: if all answers have one label.
        """
        from sklearn.linear_model import LogisticRegression

        texts = [text for one in labelled for text in one.completions]
        labels = np.array([label for one in labelled for label in one.refuses])
        if len(set(labels.tolist())) < 2:
            raise DataError("all labelled answers have one label", allowed="refusals and answers that comply")
        estimator = LogisticRegression(C=_STRENGTH, max_iter=500, class_weight="balanced")
        return cls(estimator.fit(_features(texts), labels), tuple(one.model for one in labelled))


def read_labelled(folder: Path) -> list[Labelled]:
    """Files ``completions_*.csv`` as XSTest has them, with ``prompt``, ``completion`` and ``final_label``.

    Raises:
        DataError: if there are none, a label is unknown, or a column is missing.
    """
    files = sorted(folder.glob("completions_*.csv"))
    if not files:
        raise DataError("there are no labelled answers", where=str(folder), allowed="completions_MODEL.csv")
    found = []
    for path in files:
        rows = []
        for number, row in read_rows(path):
            label = row.get("final_label")
            if label not in LABELS:
                raise DataError(f"label {label!r}", where=f"{path}:{number}", allowed=", ".join(LABELS))
            missing = next((name for name in ("prompt", "completion") if name not in row), None)
            if missing is not None:
                raise DataError(
                    f"there is no column `{missing}`",
                    where=f"{path}:{number}",
                    allowed="prompt, completion, final_label",
                )
            rows.append((str(row["prompt"] or ""), str(row["completion"] or ""), int(label != COMPLIES)))
        prompts, completions, refuses = zip(*rows, strict=True)
        found.append(Labelled(path.stem.removeprefix("completions_"), prompts, completions, refuses))
    return found


def told(agreements: Sequence[Agreement]) -> list[str]:
    """What held-out agreements say, for people; nothing where there are none."""
    if not agreements:
        return []
    return [
        "The learned classifier beside people's labels (kappa: 1 is full agreement, 0 chance), each model by one that "
        "saw neither it nor its prompts; how many words it reads was chosen on XSTest, so that it may fare worse "
        "elsewhere:",
        *(f"  {one.sentence()}" for one in agreements),
    ]


def held_out(labelled: Sequence[Labelled], parts: int = 3) -> list[Agreement]:
    """Agreement on each model's answers of classifiers that saw neither this model nor these prompts.

    Answers to one prompt resemble each other, and XSTest asks all models the same: a classifier that learned from other
    models' answers to it would know the prompt. Prompts are dealt into parts; answers in one are classified by what was
    learned from the other models' answers to the others.

    Args:
        labelled: answers of models.
        parts: of the prompts.

    Raises:
        DataError: with fewer than two models or prompts.
    """
    prompts = sorted({prompt for one in labelled for prompt in one.prompts})
    if len(labelled) < 2 or len(prompts) < parts:
        raise DataError(
            f"answers of {len(labelled)} model to {len(prompts)} prompts",
            allowed=f"two models or more, to hold one out, and {parts} prompts or more",
        )
    part_of = dict(zip(prompts, np.random.default_rng(0).permutation(len(prompts)) % parts, strict=True))
    found = []
    for one in labelled:
        own = np.array([part_of[prompt] for prompt in one.prompts])
        said = np.zeros(len(own))
        for part in range(parts):
            rows = np.flatnonzero(own == part)
            if len(rows):
                known = [_without(other, part_of, part) for other in labelled if other is not one]
                texts = [one.completions[row] for row in rows]
                said[rows] = refused(LearnedRefusal.fitted(known), [one.prompts[row] for row in rows], texts)
        found.append(_agreed(one, said, "held out with the prompts"))
    return found


def _without(labelled: Labelled, part_of: Mapping[str, int], part: int) -> Labelled:
    rows = [row for row, prompt in enumerate(labelled.prompts) if part_of[prompt] != part]
    columns = [
        tuple(column[row] for row in rows) for column in (labelled.prompts, labelled.completions, labelled.refuses)
    ]
    return Labelled(labelled.model, *columns)  # type: ignore[arg-type]


def agreement(refusal: Refusal, labelled: Labelled) -> Agreement:
    """How far any classifier agrees with people on one model's answers, all of which it may have seen."""
    return _agreed(labelled, refused(refusal, labelled.prompts, labelled.completions), "not held out")


def _agreed(labelled: Labelled, said: np.ndarray, how: str) -> Agreement:
    truth = np.array(labelled.refuses)
    right = rate(int((said == truth).sum()), len(truth))
    return Agreement(labelled.model, right, kappa(said.astype(int), truth), how)


def _features(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix, hstack

    words = vectorizer().transform([" ".join(text.split()[:_WORDS]) for text in texts])
    # What a list of phrases says carries over to models whose words were never seen.
    begun = csr_matrix(np.array([[float(is_refusal(text))] for text in texts]))
    return hstack([words, begun], format="csr")
