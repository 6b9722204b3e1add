"""Critics: what answers are expected to be worth, at the state before each of their tokens (PPO)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from jaxtyping import Float
from torch import Tensor, nn

from truing.errors import ModelError
from truing.objectives.algebra import Batch, Scores
from truing.policies.packing import Tree
from truing.policies.reward_loading import is_reward_model, load_reward_model
from truing.policies.values import RewardPolicy

if TYPE_CHECKING:
    from truing.training.prepare import Prepared

HEAD, POLICY = "head", "policy"


class HeadCritic(nn.Module):
    """One layer on the policy's own states, through which the critic's loss changes the policy as well.

    Args:
        hidden: width of the states.
    """

    reads: Literal["hidden"] = "hidden"

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layer = nn.Linear(hidden, 1)
        # Nothing is expected at first: a random guess would be mistaken for knowledge.
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, scores: Scores, trees: Sequence[Tree], batch: Batch) -> Float[Tensor, " tokens"]:
        """Value of the state before each token."""
        assert scores.hidden is not None
        found: Tensor = self.layer(scores.hidden.float())
        return found[:, 0]


class ModelCritic(nn.Module):
    """A model of its own with a head.

    Args:
        policy: the model, of width 1.
    """

    reads: Literal["nothing"] = "nothing"

    def __init__(self, policy: RewardPolicy) -> None:
        super().__init__()
        self.model = policy.model
        self._policy = policy

    def forward(self, scores: Scores, trees: Sequence[Tree], batch: Batch) -> Float[Tensor, " tokens"]:
        """Value of the state before each token."""
        return self._policy.before_tokens(trees)[:, 0]


def critic_for(name: str, prepared: Prepared) -> HeadCritic | ModelCritic:
    """The critic that an objective asks for.

    Args:
        name: ``"head"``, ``"policy"`` for a copy of the starting model, or a model: a reward model keeps its head, and
            a language model gets one that says 0.
        prepared: the run.

    Raises:
        ModelError: if there is no such model, or it reads other tokens than the policy.
    """
    inner = prepared.policy.inner
    if name == HEAD:
        return HeadCritic(inner.config.get_text_config().hidden_size)
    own = name == POLICY
    source = prepared.recipe.model.name if own else name
    model = load_reward_model(
        source,
        1,
        revision=prepared.recipe.model.revision if own else None,
        dtype=inner.dtype,
        device=prepared.policy.device,
    )
    sizes = [config.get_text_config().vocab_size for config in (model.config, inner.config)]
    if sizes[0] != sizes[1]:
        raise ModelError(
            f"the critic {source!r} reads {sizes[0]} tokens, and the policy {sizes[1]}",
            where="objective.critic",
            allowed="models with the policy's tokenizer",
            fix=f"use critic: {POLICY}",
        )
    if not is_reward_model(source):
        nn.init.zeros_(model.score.weight)
    return ModelCritic(RewardPolicy(model, prepared.tokenizer, precision=prepared.recipe.training.precision))
