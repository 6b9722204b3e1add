"""Answer prompts with a model, a way to decode and rewards: ``truing generate`` and ``truing.decode``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.decoding.answers import Cost, Decoded
from truing.decoding.decoders import DECODERS
from truing.decoding.engine import ModelEngine
from truing.decoding.recipe import DecodeRecipe, asked_once, parse_decode_recipe
from truing.decoding.task import Decoder, FromPipeline, Task, Worth
from truing.errors import RecipeError, RunError
from truing.policies.fingerprint import of_values
from truing.policies.generation import Sampling
from truing.prompting.answering import FromPolicy
from truing.prompting.named import transform_of
from truing.prompting.transform import Identity, PromptTransform, Shown
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
    """

    engine: ModelEngine
    decoder: Decoder
    pipeline: Pipeline | None
    transform: PromptTransform
    sampling: Sampling
    trace: bool = False

    def answer(
        self, asked: Sequence[Shown], *, first: int = 0, progress: Report | None = None
    ) -> tuple[list[Decoded], Cost]:
        """Answers to prompts, and what they cost.

        Args:
            asked: prompts, with the columns of their records.
            first: number of the first; prompts of different batches are drawn with different seeds.
            progress: told of (prompts done, prompts in all).

        Raises:
            ModelError: if a prompt leaves no room for an answer.
            RecipeError: if the way to decode needs rewards, and there are none.
        """
        shown = self.transform(asked)
        encoded = FromPolicy(self.engine.policy, self.sampling).tokens(shown)
        names = () if self.pipeline is None else self.pipeline.columns
        columns = {name: [one.context.get(name) for one in asked] for name in names}
        prompts = [one.original for one in shown]
        worth = None
        if self.pipeline is not None:
            judging = FromPipeline(self.pipeline, prompts, columns)
            worth = Worth(_Ended(judging, shown), judging.vector)
        before = self.engine.work.model_tokens
        sampling = replace(self.sampling, seed=self.sampling.seed + first)
        task = Task(self.engine, prompts, encoded, sampling, worth, self.trace, progress)
        with self.engine.policy.evaluating():
            found = self.decoder(task)
        cost = task.cost()
        return [_stopped(one, asked_as) for one, asked_as in zip(found, shown, strict=True)], replace(
            cost, model_tokens=cost.model_tokens - before
        )


@dataclass(frozen=True)
class _Ended:
    """Rewards of answers without what a model wrote after a stop text."""

    judging: FromPipeline
    shown: Sequence[Shown]

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> Any:
        return self.judging(items, [self.shown[i].answer(text) for i, text in zip(items, texts, strict=True)])


def _stopped(one: Decoded, shown: Shown) -> Decoded:
    if not shown.stop:
        return one
    return replace(
        one,
        chosen=replace(one.chosen, text=shown.answer(one.text)),
        candidates=tuple(replace(c, text=shown.answer(c.text)) for c in one.candidates),
    )


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
    return Setup(ModelEngine(policy), decoder, pipeline, transform, sampling, recipe.trace)


def prompts_of(recipe: DecodeRecipe) -> list[Shown]:
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
    kept = _kept(path, recipe, asked) if path is not None and resume else 0
    setup = setup_of(recipe, policy)
    found: list[Decoded] = []
    cost = Cost()
    if path is not None and not kept:
        _begin(path, recipe)
    for first in range(kept, len(asked), recipe.together):
        part = asked[first : first + recipe.together]

        def told(done: int, _: int, first: int = first) -> None:
            if progress:
                progress(first + done, len(asked))

        answers, spent = setup.answer(part, first=first, progress=told)
        cost = cost + spent
        found += answers
        if path is not None:
            _append(path, answers)
        if progress:
            progress(first + len(part), len(asked))
    return Generated(found, cost, kept)


def _begin(path: Path, recipe: DecodeRecipe) -> None:
    from truing.writing import write_json, write_text

    write_text(path, "")
    write_json(_recipe_file(path), {"recipe": recipe.model_dump(), "fingerprint": _fingerprint(recipe)})


def _append(path: Path, answers: Sequence[Decoded]) -> None:
    from truing.writing import explain_disk_errors

    with explain_disk_errors(path), path.open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(one.as_dict(), ensure_ascii=False)}\n" for one in answers)


def _recipe_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.recipe.json")


def _fingerprint(recipe: DecodeRecipe) -> str:
    return of_values(recipe.model_dump(exclude={"output"}))


def _kept(path: Path, recipe: DecodeRecipe, asked: Sequence[Shown]) -> int:
    """How many whole batches a file has; a batch that was broken off is cut.

    Raises:
        RunError: if the file is of another recipe.
    """
    if not path.is_file():
        return 0
    described = _recipe_file(path)
    known = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else {}
    if known.get("fingerprint") != _fingerprint(recipe):
        raise RunError(
            "the answers that are there are of another recipe",
            where=str(path),
            fix="use the recipe that began them, another output, or leave --resume out to write them anew",
        )
    lines = path.read_bytes().splitlines(keepends=True)
    whole = sum(line.endswith(b"\n") for line in lines)
    kept = whole if whole == len(asked) else whole - whole % recipe.together
    from truing.writing import write_text

    write_text(path, b"".join(lines[:kept]).decode("utf-8"))
    return kept
