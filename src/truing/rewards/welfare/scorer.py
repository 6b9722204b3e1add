"""Mutual welfare (GTAlign, 2510.08872) as a reward: the utilities of both sides, for a combiner to make one of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError, ObjectiveError
from truing.parameters import Doc
from truing.registry import Paper
from truing.rewards.algebra import Columns, Prompt, RecordScorer, Rewards, Scorer, score
from truing.rewards.method import reward
from truing.rewards.welfare.tagged import Tagged
from truing.rewards.welfare.utilities import Terms, terms

Accuracy = Annotated[
    str | dict[str, Any] | None,
    Doc(
        "the reward that says how right a response is, as in a recipe, e.g. {name: numeric-answer, column: answer}",
        "a reward with values in [0, 1]",
    ),
]
OfUser = Annotated[
    str | dict[str, Any] | None,
    Doc("another such reward for the user's side, as the paper has for writing", "the same reward, if left out"),
]
PAPER = Paper("GTAlign: Game-Theoretic Alignment of LLM Assistants for Mutual Welfare", 2025, "2510.08872")


@dataclass(frozen=True)
class Utilities:
    """U_user and U_llm of an answer.

    An answer without the four blocks is worth 0 to both. Where nobody could say how right a response is, both are
    masked.

    Args:
        accuracy: of a response, one objective in [0, 1].
        user_accuracy: another one for the user's side.
    """

    accuracy: Scorer | RecordScorer
    user_accuracy: Scorer | RecordScorer | None = None
    names: tuple[str, ...] = ("user", "llm")

    @property
    def columns(self) -> tuple[str, ...]:
        read = [
            name
            for scorer in (self.accuracy, self.user_accuracy)
            if isinstance(scorer, RecordScorer)
            for name in scorer.columns
        ]
        return tuple(dict.fromkeys(read))

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        found = {row: answer for row, text in enumerate(completions) if (answer := _tagged(text)) is not None}
        rows = list(found)
        given = {name: [values[row] for row in rows] for name, values in (columns or {}).items()}
        asked = [prompts[row] for row in rows]
        said = [found[row].response for row in rows]
        of_llm = self._accuracy(self.accuracy, asked, said, given, rows)
        other = self.user_accuracy
        of_user = of_llm if other is None else self._accuracy(other, asked, said, given, rows)
        values = torch.zeros(len(completions), 2, dtype=torch.float64)
        for place, row in enumerate(rows):
            made = self.terms(found[row])
            values[row, 0] = made.user(float(of_user[place]))
            values[row, 1] = made.llm(float(of_llm[place]))
        # One side alone would look like a choice between sides.
        known = ~values.isnan().any(1, keepdim=True).expand(-1, 2)
        return Rewards(values, self.names, known)

    def terms(self, answer: Tagged) -> Terms:
        """What the utilities are made of beside accuracy."""
        return terms(answer)

    def _accuracy(
        self,
        scorer: Scorer | RecordScorer,
        prompts: Sequence[Prompt],
        responses: Sequence[str],
        columns: Columns,
        rows: Sequence[int],
    ) -> Float[Tensor, " answers"]:
        """Accuracy of responses; ``nan`` where it is not known."""
        if not responses:
            return torch.zeros(0, dtype=torch.float64)
        values = score(scorer, prompts, responses, columns).values[:, 0].double()
        wrong = (values < 0) | (values > 1)
        if wrong.any():
            place = int(wrong.nonzero()[0])
            raise DataError(
                f"accuracy is {float(values[place]):g}",
                where=f"answer {rows[place]}, reward {scorer.names[0]!r}",
                allowed="0 to 1",
                fix="use a reward that is a rate, or a judge with the scores 0 to 1",
            )
        return values


def _tagged(text: str) -> Tagged | None:
    try:
        return Tagged.parse(text)
    except DataError:
        return None


@reward(
    name="gtalign",
    slug="gtalign",
    paper=PAPER,
    summary="Two rewards of an answer that reasons about a game before it responds: what its user gains, and what the "
    "model gains.",
    formula="user: 1e-4 + 0.5 A + 0.2 g(n_r; 20, 500) + 0.3 e^(−c/500); llm: 1e-4 + 0.2 F + 0.2 P + 0.4 A + "
    "0.2 g(n; 500, 1000)",
    legend=(
        "A: how right the response is, in [0, 1]",
        "g(n; a, b): σ(0.005 (n − a)) σ(0.005 (b − n)), of n words",
        "n_r: words of the response; n of the whole answer",
        "c: characters before the response",
        "F: 1 for four blocks in order with valid payoffs; without them both utilities are 0",
        "P: share of cells that pay both sides differently, and by more than a tenth",
    ),
    use_when="An assistant is to choose between answering, asking back and both, and neither its user nor its operator "
    "is to pay for the other's gain. Combine with geometric-mean; the paper's ablations are mean, and weighted-sum "
    "with all weight on one side.",
    avoid_when="Answers have no such blocks: everything is worth 0, and nothing is learned, so imitate some tagged "
    "answers first. P rewards mere inequality of payoffs; watch it.",
    requires=("answers in four tagged blocks", "a reward that says how right a response is"),
    cost="what the reward of the responses costs",
)
def gtalign(accuracy: Accuracy = None, user_accuracy: OfUser = None) -> Utilities:
    """2510.08872, utilities as in the authors' code.

    Raises:
        ObjectiveError: without a reward for accuracy, or if one has several objectives.
    """
    if accuracy is None:
        raise ObjectiveError(
            "gtalign does not know how right a response is",
            where="accuracy",
            allowed="a reward with values in [0, 1]",
            fix="e.g. accuracy: {name: numeric-answer, column: answer}",
        )
    right = _scorer(accuracy, "accuracy")
    return Utilities(right, None if user_accuracy is None else _scorer(user_accuracy, "user_accuracy"))


def _scorer(spec: str | dict[str, Any], where: str) -> Scorer | RecordScorer:
    # Building needs every registered reward, this one included.
    from truing.rewards.build import scorer_of

    made = scorer_of(spec, where)
    if len(made.names) != 1:
        raise ObjectiveError(
            f"{', '.join(made.names)} are {len(made.names)} objectives", where=where, allowed="one objective"
        )
    return made
