"""What a request asks for, made once: ways to decode, rewards and changes of prompts, as far as it may choose them."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from truing.decoding.decoders import DECODERS
from truing.decoding.recipe import DecodeRecipe
from truing.decoding.run import Setup, decoder_of
from truing.decoding.task import Decoder
from truing.errors import RecipeError
from truing.prompting.named import transform_of
from truing.prompting.prompts import PROMPTING
from truing.prompting.transform import PromptTransform, chained
from truing.recipe.load import validated
from truing.recipe.online import RewardsSection
from truing.recipe.yaml_reader import Located
from truing.rewards.algebra import RecordScorer, Scorer
from truing.rewards.build import build, scorer_of
from truing.rewards.lookup import Piece, piece
from truing.rewards.pipeline import Pipeline
from truing.rewards.scorers import SCORERS
from truing.serving.asked import Search
from truing.serving.permitted import Permitted

SAMPLING = "sampling"
"""In place of a way to decode: token by token, which can be streamed."""

_REWARDS = ("rewards", "transform", "combine", "weights", "missing")
_KEPT = 64
_WHERE = "the request"

Found = TypeVar("Found")


def token_by_token(recipe: DecodeRecipe) -> bool:
    """Whether a server with this recipe draws answers token by token where a request does not say how."""
    return recipe.decode == SAMPLING or ("decode" not in recipe.model_fields_set and not recipe.rewards)


class Wishes:
    """What requests may ask of a model. Methods may be called from any thread.

    Args:
        recipe: the server's own.
        setup: what it describes.
        search: how the server answers where a request does not say; ``None`` is token by token.
    """

    def __init__(self, recipe: DecodeRecipe, setup: Setup, search: Search | None) -> None:
        self.search = search
        self._recipe, self._setup = recipe, setup
        scorers = () if setup.pipeline is None else setup.pipeline.scorers
        self._decoders: Permitted[Decoder] = Permitted(
            "way to decode", DECODERS.get, decoder_of, [recipe.decode], made=[setup.decoder]
        )
        self._scorers: Permitted[Scorer | RecordScorer] = Permitted(
            "reward", _reward, scorer_of, recipe.rewards, made=scorers
        )
        self._prompting: Permitted[PromptTransform] = Permitted(
            "way to prompt", PROMPTING.get, transform_of, recipe.prompting
        )
        transforms, combiners, weighters = recipe.transform, _listed(recipe.combine), _listed(recipe.weights)
        self._transforms = _pieces("reward transform", transforms)
        self._one = {
            "combine": _pieces("reward combiner", combiners),
            "weights": _pieces("reward weighter", weighters),
        }
        self._known: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def search_of(self, wanted: Mapping[str, Any]) -> Search | None:
        """How a request is to be decoded.

        Args:
            wanted: ``decode``, ``rewards``, ``transform``, ``combine``, ``weights`` and ``missing`` where the request
                has them. Rewards that it leaves out are the server's own, with all that belongs to them, and so is the
                way to decode; ``decode: sampling`` is token by token.

        Raises:
            RecipeError: if that is not for a request to say.
            TruingError: if it cannot be.
        """
        if not wanted:
            return self.search
        if wanted.get("decode") in (SAMPLING, {"name": SAMPLING}):
            return None
        return self._remembered("search", wanted, self._searched)

    def pipeline_of(self, wanted: Mapping[str, Any]) -> Pipeline:
        """Rewards of a request; the server's own where it names none.

        Raises:
            RecipeError: if that is not for a request to say, or there are none.
            TruingError: if it cannot be.
        """
        found = self._remembered("pipeline", wanted, self._piped)
        if found is None:
            raise RecipeError(
                "the request names no rewards, and the server has none of its own",
                where="rewards",
                fix="e.g. rewards: [sentiment]; `truing methods reward` lists them",
            )
        return found

    def transform_of(self, wanted: Sequence[Any] | None) -> PromptTransform:
        """Changes of a request's prompt, in turn; those of the server where it names none.

        They may ask models: what this returns is to be called in turn with answers.

        Raises:
            RecipeError: if that is not for a request to say.
            TruingError: if it cannot be.
        """
        if wanted is None:
            return self._setup.transform
        with self._lock:
            return chained(*(self._prompting(spec, f"prompting[{i}]") for i, spec in enumerate(wanted)))

    def _searched(self, wanted: Mapping[str, Any]) -> Search:
        rest = {key: value for key, value in wanted.items() if key != "decode"}
        spec = _completed(wanted.get("decode", self._recipe.decode))
        return Search(self._decoders(spec, "decode"), self._piped(rest))

    def _piped(self, wanted: Mapping[str, Any]) -> Pipeline | None:
        for key in wanted:
            if key not in _REWARDS:
                raise RecipeError(
                    f"a request cannot set {key!r}", where=key, allowed=", ".join(("decode", *_REWARDS))
                )
        if not wanted:
            return self._setup.pipeline
        said = {} if "rewards" in wanted else {key: getattr(self._recipe, key) for key in _REWARDS}
        section = validated(Located({**said, **wanted}, {}, _WHERE), (), RewardsSection)
        for place, spec in enumerate(section.transform):
            self._transforms.check(spec, f"transform[{place}]")
        for key, permitted in self._one.items():
            if (spec := getattr(section, key)) is not None:
                permitted.check(spec, key)
        found = build(section, where=_WHERE, scorer=self._scorers)
        if found.needs_reference:
            raise RecipeError(
                "a transform compares with samples of a reference, which a server does not draw",
                where="transform",
                fix="use a transform without reference, or none",
            )
        return found

    def _remembered(
        self, what: str, wanted: Mapping[str, Any], make: Callable[[Mapping[str, Any]], Found]
    ) -> Found:
        """What requests ask for again and again is made once; no more than some are kept."""
        key = json.dumps([what, wanted], sort_keys=True, default=str)
        with self._lock:
            if key not in self._known:
                self._known[key] = make(wanted)
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            found: Found = self._known[key]
        return found


def _completed(spec: object) -> object:
    """A mapping without a name holds settings of the default, as in a recipe."""
    if isinstance(spec, Mapping) and "name" not in spec:
        return {"name": DecodeRecipe.model_fields["decode"].default, **spec}
    return spec


def _listed(spec: object) -> list[object]:
    return [] if spec is None else [spec]


def _reward(name: str, where: str) -> Piece | None:
    return None if name in SCORERS else piece(name, "reward", where)


def _pieces(kind: str, own: Sequence[object]) -> Permitted[object]:
    """For checks alone: what is permitted is made together."""
    return Permitted(kind, lambda name, where: piece(name, kind, where), lambda *said: said[0], own)
