"""Answer prompts with a model, a way to decode and rewards: ``truing generate`` and ``truing.decode``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.decoding import kept
from truing.decoding.answers import Cost, Decoded
from truing.decoding.decoders import DECODERS
from truing.decoding.engine import ModelEngine, Tokens
from truing.decoding.foresight import Bounded, Most, check
from truing.decoding.recipe import AskedRecipe, CodesSection, DecodeRecipe, asked_once, parse_decode_recipe
from truing.decoding.task import Decoder, FromPipeline, Task, Worth
from truing.errors import RecipeError
from truing.policies.generation import Sampling
from truing.prompting.answering import FromPolicy
from truing.prompting.named import transform_of
from truing.prompting.transform import Identity, PromptTransform, Shown, asks_models, in_system
from truing.rewards.lookup import named
from truing.rewards.pipeline import Pipeline

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Setup:
    """All that answers prompts, without the prompts.

    Attributes:
        engine: the model.
        decoder: how.
        pipeline: rewards; ``None`` without.
        transform: changes of prompts.
        sampling: how answers are drawn.
        trace: whether steps are kept.
        front: control code in front of every prompt, as token ids.
        opposite: code for the other kind of answers.
    """

    engine: ModelEngine
    decoder: Decoder
    pipeline: Pipeline | None
    transform: PromptTransform
    sampling: Sampling
    trace: bool = False
    front: tuple[int, ...] = ()
    opposite: tuple[int, ...] = ()

    def task(
        self,
        asked: Sequence[Shown],
        *,
        first: int = 0,
        progress: Report | None = None,
        transform: PromptTransform | None = None,
    ) -> Task:
        """Prompts that wait for answers.

        Args:
            asked: prompts, with the columns of their records.
            first: number of the first; prompts of different batches are drawn with different seeds.
            progress: told of (prompts done, prompts in all).
            transform: changes of prompts in place of those of the recipe.

        Raises:
            ModelError: if a prompt leaves no room for an answer.
            DataError: if no record has a column that a reward reads.
        """
        shown = (transform or self.transform)(asked)
        reads = FromPolicy(self.engine.policy, self.sampling, self.front)
        encoded = reads.tokens(shown)
        prompts, contexts = [one.original for one in shown], [one.context for one in asked]
        worth = None
        if self.pipeline is not None:
            judging = FromPipeline.of(self.pipeline, prompts, contexts)
            worth = Worth(judging, judging.vector)

        def told(item: int, text: str) -> Tokens:
            return reads.tokens([shown[item].showing(in_system(shown[item].prompt, text))])[0]

        return Task(
            self.engine,
            prompts,
            encoded,
            replace(self.sampling, seed=self.sampling.seed + first),
            worth,
            self.trace,
            progress,
            cut=lambda item, text: shown[item].answer(text),
            told=told,
            contexts=contexts,
            front=self.front,
            opposite=self.opposite,
        )

    def answer(
        self, asked: Sequence[Shown], *, first: int = 0, progress: Report | None = None
    ) -> tuple[list[Decoded], Cost]:
        """Answers to prompts, and what they cost.

        Args:
            asked, first, progress: as for :meth:`task`.

        Raises:
            ModelError: if a prompt leaves no room for an answer.
            RecipeError: if the way to decode needs rewards, and there are none.
        """
        before = self.engine.work.model_tokens
        task = self.task(asked, first=first, progress=progress)
        with self.engine.policy.evaluating():
            found = self.decoder(task)
        cost = task.cost()
        return found, replace(cost, model_tokens=cost.model_tokens - before)

    def foreseen(self, asked: Sequence[Shown]) -> Foreseen:
        """What answering prompts would take; refuses what :meth:`answer` would refuse, and draws nothing.

        Changes of prompts that ask a model are left out.

        Raises:
            TruingError: as :meth:`answer`.
        """
        asking = asks_models(self.transform)
        task = self.task(asked, transform=Identity() if asking else None)
        check(task, self.decoder)
        lengths = [len(tokens) for tokens in task.encoded]
        most = self.decoder.most(task) * len(lengths) if isinstance(self.decoder, Bounded) else None
        return Foreseen(len(lengths), sum(lengths), max(lengths, default=0), most, not asking)


@dataclass(frozen=True)
class Foreseen:
    """What answering prompts would take.

    Attributes:
        prompts: how many.
        tokens: of all prompts, as the model reads them.
        longest: tokens of the longest.
        most: what is drawn at most; ``None`` where the way to decode does not say.
        changed: whether prompts were counted as their changes leave them; not where a change asks a model.
    """

    prompts: int
    tokens: int
    longest: int
    most: Most | None
    changed: bool


def decoder_of(spec: object, where: str = "decode") -> Decoder:
    """The way to decode that is meant: a name, or a mapping with ``name`` and settings.

    Raises:
        RecipeError, TruingError: on an unknown name.
        ObjectiveError: on an unknown setting or a value out of bounds.
    """
    name, values = named(spec, "way to decode", where)
    made: Decoder = DECODERS.get(name, where).configure(values, where)
    return made


def setup_of(recipe: DecodeRecipe, policy: CausalPolicy | None = None) -> Setup:
    """What a recipe describes.

    Args:
        recipe: of decoding.
        policy: the model, if it is loaded already.

    Raises:
        TruingError: on anything in the recipe that cannot be.
    """
    from truing.rewards.build import build

    decoder = decoder_of(recipe.decode)
    pipeline = build(recipe, where="recipe") if recipe.rewards else None
    if pipeline is not None and pipeline.needs_reference:
        raise RecipeError(
            "a transform compares with samples of a reference, which decoding does not draw",
            where="transform",
            fix="use a transform without reference, or none",
        )
    if policy is None:
        from truing.policies.causal import CausalPolicy
        from truing.policies.loading import load_model, load_tokenizer

        policy = CausalPolicy(load_model(recipe.model.name), load_tokenizer(recipe.model.name))
    transform = transform_of(list(recipe.prompting), "prompting") if recipe.prompting else Identity()
    sampling = Sampling(**recipe.sampling.model_dump())
    front, opposite = ((), ()) if recipe.codes is None else _codes(policy, recipe.codes)
    return Setup(ModelEngine(policy), decoder, pipeline, transform, sampling, recipe.trace, front, opposite)


def _codes(policy: CausalPolicy, section: CodesSection) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The code that is asked for and the other one, known to the model from here on."""
    from truing.policies.control_codes import LEVELS, load_codes

    codes = load_codes(policy, section.file)
    (other,) = [level for level in LEVELS if level != section.level]
    return codes.ids(section.level), codes.ids(other)


def prompts_of(recipe: AskedRecipe) -> list[Shown]:
    """What is to be answered.

    Raises:
        RecipeError: if nothing is.
        DataError: if it cannot be read.
    """
    from truing.prompting.files import read_questions

    asked_once(recipe)
    if recipe.prompts is None:
        return [Shown.of(recipe.prompt or "")]
    return read_questions(recipe.prompts.path, column=recipe.prompts.column, limit=recipe.prompts.limit)


@dataclass(frozen=True)
class Generated:
    """What came of a recipe.

    Attributes:
        decoded: the answers; those that were there already are not among them.
        cost: of all of them.
        kept: answers that were there already.
    """

    decoded: list[Decoded]
    cost: Cost
    kept: int = 0


def decode(
    recipe: DecodeRecipe | None = None,
    *,
    resume: bool = False,
    progress: Report | None = None,
    policy: CausalPolicy | None = None,
    **settings: Any,
) -> Generated:
    """Answer prompts.

    Args:
        recipe: what to do; or give its keys as ``settings``, e.g. ``decode(model="truing/tiny", prompt="Hello",
            decode={"name": "best-of-n", "n": 8}, rewards=["sentiment"])``.
        resume: go on where ``output`` ends.
        progress: told of (prompts done, prompts in all).
        policy: the model, if it is loaded already.
        settings: keys of a recipe.

    Raises:
        TruingError: on anything in the recipe or the data that cannot be.
    """
    recipe = parse_decode_recipe(settings) if recipe is None else recipe
    asked = prompts_of(recipe)
    path = None if recipe.output is None else Path(recipe.output)
    setup = setup_of(recipe, policy)
    known_as = "" if path is None else kept.fingerprint(recipe, asked, setup.engine.policy)
    there = kept.kept(path, known_as, len(asked), recipe.together) if path is not None and resume else 0
    found: list[Decoded] = []
    cost = Cost()
    begun = bool(there)
    for first in range(there, len(asked), recipe.together):
        part = asked[first : first + recipe.together]

        def told(done: int, _: int, first: int = first) -> None:
            if progress:
                progress(first + done, len(asked))

        answers, spent = setup.answer(part, first=first, progress=told)
        cost = cost + spent
        found += answers
        if path is not None:
            # What was there before goes only when there is something in its place.
            if not begun:
                kept.begin(path, recipe, known_as)
                begun = True
            kept.append(path, answers)
        if progress:
            progress(first + len(part), len(asked))
    return Generated(found, cost, there)
