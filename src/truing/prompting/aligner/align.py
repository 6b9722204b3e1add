"""P-Aligner (2508.04626): questions are rewritten before they are answered, by search or by a model that learned it.

The paper's own code was read (F2-Song/P-Aligner). As there: a node is scored by the mean reward of answers against the
original question, c = 1, principles are tried in random order, a node's children are chosen among only when all
principles were tried at it, and the original is scored, too. Otherwise: Q is the mean of all evaluations below a node
(there a mean of means), rewards are put on a scale of 0 to 1 before c is applied, nodes at the depth limit are scored
again, and intent check, margin and least number of evaluations are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field, InstanceOf

from truing.chat.model import ChatModel
from truing.errors import RecipeError
from truing.parameters import NON_NEGATIVE, Doc
from truing.prompting.aligner.rewriting import (
    PRINCIPLES,
    ByChat,
    Rewriter,
    SameIntent,
    read_question,
    reply_of,
    request,
    usable,
)
from truing.prompting.aligner.search import Found, Settings, search
from truing.prompting.answering import Answering
from truing.prompting.comparison import Score
from truing.prompting.method import prompting
from truing.prompting.transform import AsksModels, Shown, in_question
from truing.registry import Paper
from truing.rewards.algebra import Prompt
from truing.rewards.functions.prompt_text import query

_PAPER = Paper(
    "P-Aligner: Enabling Pre-Alignment of Language Models via Principled Instruction Synthesis", 2025, "2508.04626"
)

Name = Annotated[
    str | InstanceOf[object] | None,
    Doc("a model", "folder, hub name, or http://HOST/v1#MODEL; in Python an object"),
]
Reward = Annotated[
    Any, Doc("what scores answers", "a reward or a list of them, as in a recipe; in Python a function")
]
Iterations = Annotated[int, Field(gt=0), Doc("evaluations after the original's", "1 or more")]
Exploration = Annotated[float, NON_NEGATIVE, Doc("c of the rule that selects", "0 follows the best so far")]
Answers = Annotated[int, Field(gt=0), Doc("answers in an evaluation", "1 or more")]
Depth = Annotated[int, Field(gt=0), Doc("most rewrites on top of each other", "1 or more")]
Visits = Annotated[int, Field(gt=0), Doc("evaluations of its own that the result needs", "1 or more")]
Margin = Annotated[
    float, NON_NEGATIVE, Doc("by how much the result has to exceed the original", "units of the reward")
]
Check = Annotated[bool, Doc("ask the rewriter whether the result asks for the same", "true or false")]
Seed = Annotated[int, Doc("of the order of principles, and of answers", "a whole number")]
MaxTokens = Annotated[int, Field(gt=0), Doc("longest answer, and longest rewrite, tokens", "1 or more")]
Temperature = Annotated[
    float, Field(ge=0), Doc("of answers", "at least 0; above 0 where an evaluation has several")
]
KeyFrom = Annotated[
    str | None, Doc("environment variable with the key of endpoints", "a variable's name; none if left out")
]
Rounds = Annotated[int, Field(gt=0), Doc("rewrites on top of each other", "1 or more")]


@dataclass(frozen=True)
class MeanReward:
    """Mean reward of fresh answers to a question in some words, as answers to the original.

    Args:
        answering: the model; every answer is a draw of its own.
        score: of answers.
        answers: in an evaluation.
    """

    answering: Answering
    score: Score
    answers: int

    def of(self, shown: Shown) -> _Fresh:
        """For the rewrites of one question."""
        return _Fresh(self, shown)


class _Fresh:
    def __init__(self, reward: MeanReward, shown: Shown) -> None:
        self._reward, self._shown, self._drawn = reward, shown, 0

    def __call__(self, text: str) -> float:
        shown = self._shown.showing(_saying(self._shown.prompt, text))
        many = self._reward.answers
        draws = range(self._drawn, self._drawn + many)
        answers = [self._reward.answering([shown], draw)[0] for draw in draws]
        self._drawn += many
        # Scored against the rewrite, an easier question would win.
        values = self._reward.score([shown.original] * many, answers, [shown.context] * many)
        known = [float(value) for value in values if math.isfinite(value)]
        return sum(known) / len(known) if known else math.nan


def _saying(prompt: Prompt, text: str) -> Prompt:
    return in_question(prompt, lambda _: text)


@dataclass(frozen=True)
class Search(AsksModels):
    """Rewrites each question by a search of its own; what was found is put into the context as ``search``.

    Args:
        rewrite: under a principle.
        reward: what answers are worth.
        principles: names.
        settings: how to search.
        same_intent: checks results; ``None`` checks nothing.
    """

    rewrite: Rewriter
    reward: MeanReward
    principles: tuple[str, ...]
    settings: Settings
    same_intent: SameIntent | None = None
    name: str = "p-aligner"

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        found = []
        for one in shown:
            result = self.search(one)
            changed = one.prompt if not result.changed else _saying(one.prompt, result.text)
            found.append(one.showing(changed, search=result.as_dict()))
        return found

    def search(self, shown: Shown) -> Found:
        """Of one question."""
        return search(
            query(shown.prompt),
            self.principles,
            self.rewrite,
            self.reward.of(shown),
            self.settings,
            self.same_intent,
        )


@dataclass(frozen=True)
class Rewritten(AsksModels):
    """Rewrites each question by asking a model that learned it; what is unusable leaves the question as it is.

    Args:
        model: the rewriter.
        rounds: rewrites on top of each other.
    """

    model: ChatModel
    rounds: int = 1
    name: str = "p-aligner-rewriter"

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        found = list(shown)
        for _ in range(self.rounds):
            replies = self.model([request(query(one.prompt)) for one in found], read_question)
            texts = [usable(query(one.prompt), reply) for one, reply in zip(found, replies, strict=True)]
            found = [
                one if text is None else replace(one, prompt=_saying(one.prompt, text))
                for one, text in zip(found, texts, strict=True)
            ]
        return found


def training_row(shown: Shown, found: Found) -> dict[str, Any]:
    """One row for `truing align` with the objective nll: the request of a rewrite, and the rewrite.

    Beside these, which are ``prompt`` and ``completion``, it says ``original``, ``rewritten``, ``path`` and ``values``.
    """
    text = query(shown.original)
    return {
        "prompt": [dict(message) for message in request(text)],
        "completion": [{"role": "assistant", "content": reply_of(found.text)}],
        "original": text,
        "rewritten": found.text,
        **found.as_dict(),
    }


@prompting(
    name="p-aligner",
    slug="p-aligner",
    paper=_PAPER,
    summary="Searches for words of a question whose answers are preferred, as answers to what was asked.",
    formula="x* = arg max value(x');  value(x') = mean of r(x, y), y ~ model(· | x');  UCT: Q/N + c·sqrt(ln "
    "N(parent)/N)",
    legend=(
        "x: the original question, against which answers are always scored; it stays a candidate",
        "x': rewrites under principles (clarity, context, constraints, …), and rewrites of these",
        "r: a reward as in recipes;  N: evaluations in a node and below it",
    ),
    use_when="Questions come in poor words, and a reward can be trusted. `truing prompt search` writes what it "
    "finds as "
    "training data; `p-aligner-rewriter` then does it in one step.",
    avoid_when="The reward likes length or manner: rewrites ask for it. Values of results are too high by their "
    "choice: "
    "compare on fresh answers with `truing prompt compare`.",
    requires=("a rewriter", "a model that answers", "a reward"),
    cost="for each question some `iterations` rewrites, more where they are unusable, and `answers` answers for each "
    "of them",
)
def p_aligner(
    rewriter: Name = None,
    sampler: Name = None,
    reward: Reward = None,
    iterations: Iterations = 20,
    exploration: Exploration = 1.0,
    answers: Answers = 1,
    depth: Depth = 3,
    visits: Visits = 1,
    margin: Margin = 0.0,
    check: Check = True,
    max_tokens: MaxTokens = 128,
    temperature: Temperature = 0.0,
    seed: Seed = 0,
    principles: Annotated[
        tuple[str, ...] | None,
        Doc("by which questions are rewritten", "names; all of the package's own if left out"),
    ] = None,
    key_from: KeyFrom = None,
) -> Search:
    """A search for better words of each question.

    Raises:
        RecipeError: without rewriter, sampler or reward, or if several answers would all be the same.
        ModelError: if a model cannot be loaded.
    """
    from truing.chat import chat_model
    from truing.prompting.models import answering
    from truing.prompting.scoring import rewards_of

    for key, given in (("rewriter", rewriter), ("sampler", sampler), ("reward", reward)):
        if given is None:
            raise RecipeError(f"p-aligner has no {key}", where=key, allowed="rewriter, sampler and reward")
    if isinstance(sampler, str) and answers > 1 and temperature == 0:
        raise RecipeError(
            "at temperature 0 all answers of an evaluation are the same",
            where="answers",
            fix="answers: 1, or temperature: 1",
        )
    asked: Any = rewriter
    if isinstance(rewriter, str):
        asked = ByChat(chat_model(rewriter, key_from=key_from, max_tokens=max_tokens, seed=seed, where="rewriter"))
    model: Any = sampler
    if isinstance(sampler, str):
        model = answering(
            sampler,
            key_from=key_from,
            max_new_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            where="sampler",
        )
    score: Any = (
        reward
        if callable(reward)
        else rewards_of(reward if isinstance(reward, list) else [reward], where="reward")
    )
    return Search(
        asked,
        MeanReward(model, score, answers),
        principles or tuple(PRINCIPLES),
        Settings(iterations, exploration, depth, visits, margin, seed),
        asked.same if check and isinstance(asked, ByChat) else None,
    )


@prompting(
    name="p-aligner-rewriter",
    slug="p-aligner",
    paper=_PAPER,
    summary="Lets a model that was trained on found rewrites put each question into better words, in one step.",
    formula="x' ~ rewriter(· | x), then y ~ model(· | x')",
    legend=("rewriter: trained by maximum likelihood on rows of `truing prompt search`",),
    use_when="A search has shown that rewriting helps, and costs too much for every question.",
    avoid_when="It was not trained for it: an untrained model answers questions in place of rewriting them.",
    requires=("a trained rewriter",),
    cost="one short answer of the rewriter for each question and round",
)
def p_aligner_rewriter(
    model: Name = None, rounds: Rounds = 1, max_tokens: MaxTokens = 256, key_from: KeyFrom = None
) -> Rewritten:
    """Rewrites of a trained model.

    Raises:
        RecipeError: without a model.
        ModelError: if it cannot be loaded.
    """
    from truing.chat import chat_model

    if model is None:
        raise RecipeError("p-aligner-rewriter has no model", where="model", fix="e.g. model: ./rewriter/model")
    made: Any = model
    if isinstance(model, str):
        made = chat_model(model, key_from=key_from, max_tokens=max_tokens, where="model")
    return Rewritten(made, rounds)
