"""Answer prompts with a model, a way to decode and rewards: ``truing generate`` and ``truing.decode``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.decoding.answers import Cost, Decoded
from truing.decoding.decoders import DECODERS
from truing.decoding.engine import ModelEngine, Tokens
from truing.decoding.recipe import DecodeRecipe, asked_once, parse_decode_recipe
from truing.decoding.task import Decoder, FromPipeline, Task, Worth
from truing.errors import DataError, RecipeError, RunError
from truing.json_values import plain
from truing.policies.fingerprint import of_parameters, of_values
from truing.policies.generation import Sampling
from truing.prompting.answering import FromPolicy
from truing.prompting.named import transform_of
from truing.prompting.transform import Identity, PromptTransform, Shown, in_system
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
        reads = FromPolicy(self.engine.policy, self.sampling)
        encoded = reads.tokens(shown)
        prompts = [one.original for one in shown]
        worth = None
        if self.pipeline is not None:
            judging = FromPipeline(self.pipeline, prompts, _columns(self.pipeline, asked))
            worth = Worth(judging, judging.vector)

        def told(item: int, text: str) -> Tokens:
            return reads.tokens([shown[item].showing(in_system(shown[item].prompt, text))])[0]

        before = self.engine.work.model_tokens
        task = Task(
            self.engine,
            prompts,
            encoded,
            replace(self.sampling, seed=self.sampling.seed + first),
            worth,
            self.trace,
            progress,
            cut=lambda item, text: shown[item].answer(text),
            told=told,
        )
        with self.engine.policy.evaluating():
            found = self.decoder(task)
        cost = task.cost()
        return found, replace(cost, model_tokens=cost.model_tokens - before)


def _columns(pipeline: Pipeline, asked: Sequence[Shown]) -> dict[str, list[Any]]:
    """What rewards read beside the answers.

    Raises:
        DataError: if no record has a column.
    """
    for name in pipeline.columns:
        if asked and not any(name in one.context for one in asked):
            raise DataError(
                f"a reward reads the column {name!r}, which the prompts do not have",
                where="rewards",
                allowed=", ".join(sorted({key for one in asked for key in one.context})) or "none",
                fix="name another one, e.g. {name: exact-match, column: completion}",
            )
    return {name: [one.context.get(name) for one in asked] for name in pipeline.columns}


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
    setup = setup_of(recipe, policy)
    fingerprint = "" if path is None else _fingerprint(recipe, asked, setup)
    kept = _kept(path, fingerprint, len(asked), recipe.together) if path is not None and resume else 0
    found: list[Decoded] = []
    cost = Cost()
    begun = bool(kept)
    for first in range(kept, len(asked), recipe.together):
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
                _begin(path, recipe, fingerprint)
                begun = True
            _append(path, answers)
        if progress:
            progress(first + len(part), len(asked))
    return Generated(found, cost, kept)


def _begin(path: Path, recipe: DecodeRecipe, fingerprint: str) -> None:
    from truing.writing import write_json, write_text

    write_text(path, "")
    write_json(_recipe_file(path), {"recipe": recipe.model_dump(), "fingerprint": fingerprint})


def _append(path: Path, answers: Sequence[Decoded]) -> None:
    from truing.writing import explain_disk_errors

    with explain_disk_errors(path), path.open("a", encoding="utf-8") as file:
        file.writelines(
            f"{json.dumps(plain(one.as_dict()), ensure_ascii=False, allow_nan=False)}\n" for one in answers
        )


def _recipe_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.recipe.json")


def _fingerprint(recipe: DecodeRecipe, asked: Sequence[Shown], setup: Setup) -> str:
    """Of all that decides about the answers: recipe, prompts with their columns, and weights."""
    prompts = [plain([one.original, dict(one.context)]) for one in asked]
    weights = of_parameters(setup.engine.policy.model)
    return of_values([recipe.model_dump(exclude={"output"}), prompts, weights])


def _kept(path: Path, fingerprint: str, count: int, together: int) -> int:
    """How many answers of whole batches a file has; a batch that was broken off is cut.

    Raises:
        RunError: if the file is of another recipe, other prompts or another model.
    """
    if not path.is_file():
        return 0
    described = _recipe_file(path)
    known = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else {}
    if known.get("fingerprint") != fingerprint:
        raise RunError(
            "the answers that are there are of another recipe, other prompts or another model",
            where=str(path),
            fix="use what began them, another output, or leave --resume out to write them anew",
        )
    lines = path.read_bytes().splitlines(keepends=True)
    whole = sum(line.endswith(b"\n") for line in lines)
    kept = whole if whole == count else whole - whole % together
    from truing.writing import write_text

    write_text(path, b"".join(lines[:kept]).decode("utf-8"))
    return kept
