"""Guide-Align (2403.11838): each question is answered under the guidelines that were written for questions like it.

The two stages and the optional training without guidelines are the paper's. The loss and temperature of the retriever,
how many guidelines are shown, the filter of duplicates, and all wordings are ours: the paper was read in its abstract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, InstanceOf

from truing.errors import RecipeError
from truing.parameters import Doc
from truing.prompting.guidelines.retrieval import Retriever
from truing.prompting.method import prompting
from truing.prompting.transform import Shown, in_system
from truing.registry import Paper
from truing.rewards.functions.prompt_text import query

Folder = Annotated[
    str | InstanceOf[Retriever] | None,
    Doc("folder that `truing guidelines build` wrote", "a folder; in Python a Retriever"),
]
Count = Annotated[int, Field(gt=0), Doc("guidelines for a question", "1 or more")]
Variety = Annotated[
    float,
    Field(ge=0, lt=1),
    Doc("weight of being unlike those taken already (MMR)", "0 takes the nearest; below 1"),
]

_HEAD = "Follow these guidelines in your answer where they apply, and do not mention them:"


@dataclass(frozen=True)
class Guided:
    """Shows each question with its guidelines; their texts are put into the context as ``guidelines``.

    Args:
        retriever: of the library.
        k: how many.
        variety: see :func:`truing.prompting.guidelines.retrieval.mmr`.
    """

    retriever: Retriever
    k: int
    variety: float

    @property
    def name(self) -> str:
        return f"guide-align, k = {self.k}"

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        if not shown:
            return []
        # What was asked decides, not what other changes made of it.
        near = self.retriever.retrieve([query(one.original) for one in shown], self.k, self.variety)
        found = []
        for one, numbers in zip(shown, near, strict=True):
            texts = [self.retriever.library.guidelines[number] for number in numbers]
            told = "\n".join([_HEAD, *(f"{place}. {text}" for place, text in enumerate(texts, 1))])
            found.append(one.showing(in_system(one.prompt, told), guidelines=texts))
        return found


@prompting(
    name="guide-align",
    slug="guide-align",
    paper=Paper(
        "Ensuring Safe and High-Quality Outputs: A Guideline Library Approach for Language Models",
        2024,
        "2403.11838",
    ),
    summary="Shows each question with the guidelines that a safety-trained model once wrote for questions like "
    "it.",
    formula="x' = top-k of s(x, g) over the library, then x;  s(x, g) = cos(A e(x), B e(g)), A and B by InfoNCE",
    legend=(
        "g: guidelines, written beforehand from risks of seed questions; what says the same is kept once",
        "e: a frozen embedding: words, states of a model, or a model of sentences",
        "InfoNCE: −log e^(s(x,g+)/t)/Σ_g e^(s(x,g)/t), t = 0.05; negatives of the same cluster are masked",
        "top-k: by maximal marginal relevance, so that no guideline is shown twice in other words",
    ),
    use_when="A model without safety training is to profit from one that has it, at the price of a look-up; fixed "
    "principles are too coarse. `truing guidelines distil` then trains the model to do without.",
    avoid_when="Questions are harmless throughout, or unlike those that the library was built from. Never build "
    "a library "
    "from the questions of an evaluation.",
    requires=("a library of guidelines",),
    cost="one embedding and some two hundred tokens more to read a question; building asks a model once for each "
    "seed",
)
def guide_align(library: Folder = None, k: Count = 5, variety: Variety = 0.3) -> Guided:
    """The k guidelines of a library that are nearest to each question, in front of it.

    Raises:
        RecipeError: without a library.
        DataError: if the folder holds none.
    """
    if library is None:
        raise RecipeError(
            "guide-align has no library",
            where="library",
            allowed="a folder that `truing guidelines build` wrote",
            fix="e.g. {name: guide-align, library: ./guidelines}",
        )
    retriever = Retriever.read(Path(library).expanduser()) if isinstance(library, str) else library
    return Guided(retriever, k, variety)
