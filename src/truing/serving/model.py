"""The model that is served: how it answers by itself, and what requests may ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from truing.decoding.recipe import DecodeRecipe
from truing.decoding.run import Setup, setup_of
from truing.judging.bench import Bench
from truing.prompting.transform import PromptTransform, Shown
from truing.rewards.pipeline import Pipeline
from truing.serving.asked import Search
from truing.serving.capacity import Capacity
from truing.serving.searches import Searched
from truing.serving.service import ModelService
from truing.serving.wishes import SAMPLING, Wishes, token_by_token

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


class ServedModel:
    """A model behind a service, as pages of the server see it. Methods may be called from any thread.

    Args:
        name: by which clients know it.
        setup: what the server's recipe describes.
        wishes: what requests may ask.
        capacity: how much is taken on.
    """

    def __init__(self, name: str, setup: Setup, wishes: Wishes, capacity: Capacity) -> None:
        self.name = name
        self.sampling = setup.sampling
        self.service = ModelService(Searched(setup.engine, setup.front, setup.opposite), capacity)
        self._policy = setup.engine.policy
        self._wishes = wishes

    @property
    def context(self) -> int | None:
        """Most tokens of a prompt and its answer, where there is a bound."""
        return self.service.reader.room

    def search_of(self, wanted: Mapping[str, Any]) -> Search | None:
        """See :meth:`~truing.serving.wishes.Wishes.search_of`."""
        return self._wishes.search_of(wanted)

    def pipeline_of(self, wanted: Mapping[str, Any]) -> Pipeline:
        """See :meth:`~truing.serving.wishes.Wishes.pipeline_of`."""
        return self._wishes.pipeline_of(wanted)

    def transform_of(self, wanted: Sequence[Any] | None) -> PromptTransform:
        """See :meth:`~truing.serving.wishes.Wishes.transform_of`."""
        return self._wishes.transform_of(wanted)

    def text_of(self, tokens: Sequence[int]) -> str:
        """A text to be continued that the model reads as these tokens.

        Raises:
            DataError: if there is none.
        """
        return self.service.reader.text_of(list(tokens))

    def check_room(self, text: str, besides: int) -> None:
        """Refuse a text that is more than the model reads.

        Args:
            text: that a reward or a judge is to read.
            besides: tokens that are read with it.

        Raises:
            ModelError: if it is.
        """
        self.service.reader(Shown.of(text).showing(text, verbatim=True), besides)

    def bench(self, criteria: str | None) -> Bench:
        """The model as a judge of two answers, by the odds of letters; it is to be asked in turn with answers."""
        from truing.judging.comparers.letters import LetterOdds
        from truing.judging.wording import RELATION, Wording
        from truing.rewards.judges.wording import CRITERIA

        wording = Wording(RELATION, criteria or CRITERIA)
        return Bench([LetterOdds(self._policy, self.name, wording.criteria)], wording=wording)


def serve_model(
    recipe: DecodeRecipe,
    *,
    name: str | None = None,
    capacity: Capacity | None = None,
    policy: CausalPolicy | None = None,
) -> ServedModel:
    """Load a model and what its server's recipe describes, and start the thread that owns it.

    Where the recipe has neither rewards nor a way to decode, or ``decode: sampling``, answers are drawn token by token.

    Args:
        recipe: of decoding; prompts and output have no meaning here.
        name: by which clients know the model; that of the recipe by default.
        capacity: how much is taken on; searches as wide as the server's own are always taken.
        policy: the model, if it is loaded already.

    Raises:
        TruingError: on anything in the recipe that cannot be.
    """
    plain = token_by_token(recipe)
    if recipe.decode == SAMPLING:
        recipe = recipe.model_copy(update={"decode": DecodeRecipe.model_fields["decode"].default})
    setup = setup_of(recipe, policy)
    limits = capacity or Capacity()
    search = None
    if not plain:
        search = Search(setup.decoder, setup.pipeline)
        most = setup.foreseen([Shown.of("?")]).most
        limits = replace(limits, search=max(limits.search, 0 if most is None else most.tokens))
    return ServedModel(name or recipe.model.name, setup, Wishes(recipe, setup, search), limits)
