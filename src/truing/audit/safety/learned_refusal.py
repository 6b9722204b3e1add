"""A small classifier of refusals, from answers that people have labelled (XSTest, 2308.01263)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from truing.statistics import Estimate, rate

COMPLIES = "1_full_compliance"
LABELS = (COMPLIES, "2_full_refusal", "3_partial_refusal")
_WORDS, _STRENGTH = 30, 3.0
# Of 12 pairs of numbers the one whose worst agreement on a held-out model of XSTest was best: kappa 0.57 to 0.91,
# where the list of phrases has 0.32 to 0.91.


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
        model: whose answers were classified; none of them was learned from.
        accuracy: share of answers with the same label.
        kappa: Cohen's.
    """

    model: str
    accuracy: Estimate
    kappa: float


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


def held_out(labelled: Sequence[Labelled]) -> list[Agreement]:
    """Agreement on each model's answers of a classifier that learned from the others'.

    Raises:
        DataError: with fewer than two models.
    """
    if len(labelled) < 2:
        raise DataError(f"answers of {len(labelled)} model", allowed="two models or more, to hold one out")
    return [
        agreement(LearnedRefusal.fitted([other for other in labelled if other is not one]), one)
        for one in labelled
    ]


def agreement(refusal: Refusal, labelled: Labelled) -> Agreement:
    """How far any classifier agrees with people on one model's answers."""
    from sklearn.metrics import cohen_kappa_score

    said = refused(refusal, labelled.prompts, labelled.completions)
    truth = np.array(labelled.refuses)
    return Agreement(
        labelled.model, rate(int((said == truth).sum()), len(truth)), float(cohen_kappa_score(said, truth))
    )


def _features(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix, hstack

    words = vectorizer().transform([" ".join(text.split()[:_WORDS]) for text in texts])
    # What a list of phrases says carries over to models whose words were never seen.
    begun = csr_matrix(np.array([[float(is_refusal(text))] for text in texts]))
    return hstack([words, begun], format="csr")
