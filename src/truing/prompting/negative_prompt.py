"""NegativePrompt (2405.02814): a short emotional sentence after the instruction, and what it is worth.

The sentences of the paper are not used: users bring their own, or take those of :mod:`truing.prompting.stimuli`. The
published code joins instruction and sentence without a space, which changes how they are tokenised; here a space
stands between them unless ``separator`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from truing.errors import RecipeError, did_you_mean
from truing.parameters import Doc
from truing.prompting.method import prompting
from truing.prompting.stimuli import STIMULI, neutral
from truing.prompting.transform import Shown, in_question
from truing.registry import Paper

Place = Literal["instruction", "end"]

Stimulus = Annotated[
    str,
    Doc(
        "name of one of the package's own, e.g. doubt-1 or stress-2, or the sentence itself",
        "a sentence has spaces",
        public=True,
    ),
]
Control = Annotated[bool, Doc("a neutral sentence of as many words in its place", "true or false")]
Where = Annotated[
    Place,
    Doc(
        "where it stands",
        "instruction: before the first empty line, after which the input stands; end: after everything",
    ),
]
Separator = Annotated[str, Doc("what stands between", "a text; empty as in the published code", public=True)]


@dataclass(frozen=True)
class Suffix:
    """Puts a sentence after the instruction.

    Args:
        name: for reports.
        text: the sentence.
        place: before the first empty line of the question, or at its end.
        separator: between instruction and sentence.
    """

    name: str
    text: str
    place: Place = "instruction"
    separator: str = " "

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        return [one.showing(in_question(one.prompt, self._with)) for one in shown]

    def _with(self, question: str) -> str:
        head, gap, rest = question.partition("\n\n") if self.place == "instruction" else (question, "", "")
        return f"{head}{self.separator}{self.text}{gap}{rest}"


@prompting(
    name="negative-prompt",
    slug="negative-prompt",
    paper=Paper(
        "NegativePrompt: Leveraging Psychology for Large Language Models Enhancement via Negative Emotional "
        "Stimuli",
        2024,
        "2405.02814",
    ),
    summary="Puts a short emotional sentence after the instruction, or a neutral one of the same length as a "
    "control.",
    formula="x' = instruction + s, then the input",
    legend=(
        "s: one sentence: doubt in the model, comparison with others, or stress, by name or in your own words",
        "control: words that say nothing, as many as s has",
    ),
    use_when="The effect of a phrase on a model's answers is in question: `truing audit stimulus` measures it "
    "over tasks, "
    "chooses on one half of the items and reports on the other.",
    avoid_when="A phrase is to be chosen by its score on the items that are reported: the best of ten gains "
    "where none "
    "has any effect.",
    requires=("a prompt",),
    cost="a dozen tokens a question",
    aliases=("stimulus-suffix",),
)
def negative_prompt(
    stimulus: Stimulus = "doubt-1",
    control: Control = False,
    place: Where = "instruction",
    separator: Separator = " ",
) -> Suffix:
    """A sentence after the instruction of every question.

    Raises:
        RecipeError: if ``stimulus`` is neither a known name nor a sentence.
    """
    text = STIMULI.get(stimulus, stimulus)
    if stimulus not in STIMULI and len(stimulus.split()) < 2:
        raise RecipeError(
            f"{stimulus!r} is no stimulus",
            where="stimulus",
            allowed=f"{', '.join(STIMULI)}, or a sentence",
            fix=did_you_mean(stimulus, STIMULI),
        )
    if control:
        return Suffix(f"neutral for {stimulus}", neutral(text), place, separator)
    return Suffix(stimulus, text, place, separator)
