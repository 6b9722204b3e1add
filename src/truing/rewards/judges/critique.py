"""Critique first, then score (MM-RLHF, 2502.10391, section 4): what was written about an answer is read by the score.

A critic writes about the answer; a reward model reads prompt, answer and critique, in this order, and gives the number.
Both are trained on critiques by people; in use the critic's own are read. Here they are two models: the critic is
trained by `truing align` (sft), the reward model by `truing reward`; the paper trains one backbone for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import torch
from pydantic import Field

from truing.errors import ObjectiveError
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper
from truing.rewards.algebra import Prompt, Rewards, Scorer
from truing.rewards.judges.local import load_policy
from truing.rewards.method import reward
from truing.rewards.models.model import RewardModel
from truing.rewards.models.scorer import ModelScorer
from truing.rewards.models.texts import placed_trees

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

REQUEST = "Write a short critique of the answer: what is right in it, and what is wrong."
_LEAD = "\n\nCritique: "


def critic_prompt(prompt: Prompt, answer: str) -> Prompt:
    """What a critic is asked: the prompt, the answer, and the request; messages where the prompt is messages."""
    if isinstance(prompt, str):
        return f"{prompt}{answer}\n\n{REQUEST}{_LEAD}"
    return [*prompt, {"role": "assistant", "content": answer}, {"role": "user", "content": REQUEST}]


def with_critique(answer: str, critique: str) -> str:
    """What the reward model reads as the answer: the critique stands after it, so that the score sees both."""
    return f"{answer}{_LEAD}{critique.strip()}"


class Critic(Protocol):
    """Writes about answers."""

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str], turn: int) -> list[str]:
        """One critique of each answer; another one at another turn, where it draws them."""
        ...


@dataclass(frozen=True)
class LanguageCritic:
    """A language model as critic.

    Args:
        policy: with its tokenizer.
        max_length: of prompt and answer, tokens; the beginning is lost where it does not fit.
        max_new_tokens: of a critique.
        temperature: 0 writes the likeliest critique.
        seed: of what is drawn.
    """

    policy: CausalPolicy
    max_length: int
    max_new_tokens: int
    temperature: float
    seed: int

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str], turn: int) -> list[str]:
        from truing.policies.generation import Sampling, generate

        tokenizer = self.policy.tokenizer
        assert tokenizer is not None  # load_policy() brings it
        asked = [critic_prompt(prompt, answer) for prompt, answer in zip(prompts, completions, strict=True)]
        # A word stands for the critique, so that prompts are tokenised as they were in training.
        trees = placed_trees(tokenizer, self.max_length, asked, ["-"] * len(asked))
        sampling = Sampling(self.max_new_tokens, self.temperature, seed=self.seed + turn)
        written = generate(self.policy, [own.tree.prompt for own in trees], sampling)
        found = [""] * len(asked)
        for own, tokens in zip(trees, written, strict=True):
            for place in own.places:
                found[place] = str(tokenizer.decode(tokens, skip_special_tokens=True))
        return found


@dataclass(frozen=True)
class CritiqueScorer:
    """The mean score of an answer over several critiques of it.

    Args:
        critic: writes them.
        scorer: reads prompt, answer and critique.
        samples: critiques of each answer.
    """

    critic: Critic
    scorer: Scorer
    samples: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        return self.scorer.names

    def critiques(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[list[str]]:
        """What is written about each answer: one list a turn."""
        return [self.critic(prompts, completions, turn) for turn in range(self.samples)]

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        """Scores after critiques; an empty answer has none."""
        parts = [
            self.scorer(prompts, [with_critique(a, c) for a, c in zip(completions, written, strict=True)])
            for written in self.critiques(prompts, completions)
        ]
        there = torch.tensor([bool(text) for text in completions], dtype=torch.bool)
        known = torch.stack([part.valid for part in parts]).all(0) & there[:, None]
        return replace(parts[0], values=torch.stack([part.values for part in parts]).mean(0), valid=known)


@reward(
    name="critique-reward",
    slug="mm-rlhf-critique-rm",
    paper=Paper("MM-RLHF: The Next Step Forward in Multimodal LLM Alignment", 2025, "2502.10391"),
    summary="A critic writes about the answer, and a reward model that reads answer and critique scores it.",
    formula="R(x, y) = mean_i R(x, y, c_i), c_i from p(c | x, y);  L = −log p(c | x, y) − log σ(R_w − R_l)",
    legend=(
        "c: critique, by people in training, by the critic in use",
        "R(x, y, c): reward model that reads the critique after the answer",
        "R_w, R_l: of the chosen and of the rejected answer, each with its critique",
    ),
    use_when="What is right takes a step to find out (counting, checking a claim), there are critiques by people to "
    "learn from, and somebody wants to read why an answer scored as it did.",
    avoid_when="There are no critiques, or the critic is weak: a score that trusts wrong critiques is worse than one "
    "without. Evaluate with generated critiques, not with those of people.",
    requires=("a critic", "a reward model trained on answers with critiques"),
    cost="one critique of each answer, times samples, and one pass of the reward model over each",
    aliases=("mm-rlhf-critique-rm",),
)
def critique_reward(
    critic: Annotated[str | None, Doc("folder or hub name of a language model that writes critiques")] = None,
    model: Annotated[
        str | None, Doc("folder of a reward model that was trained on answers with critiques")
    ] = None,
    samples: Annotated[int, Field(ge=1, le=64), Doc("critiques of each answer", "1 <= samples <= 64")] = 1,
    temperature: Annotated[float, NON_NEGATIVE, Doc("of the critic", "temperature >= 0; 0 is greedy")] = 0.0,
    max_length: Annotated[
        int, Field(ge=2), Doc("tokens of prompt, answer and critique", "max_length >= 2")
    ] = 2048,
    max_new_tokens: Annotated[int, Field(ge=1), Doc("longest critique, tokens", "max_new_tokens >= 1")] = 128,
    seed: Annotated[int, Field(ge=0), Doc("of the critiques that are drawn", "seed >= 0")] = 0,
) -> CritiqueScorer:
    """The mean over critiques of what the reward model says of prompt, answer and critique.

    In Python, ``critic`` may be any :class:`Critic`, and ``model`` any scorer.

    Raises:
        ObjectiveError: without critic or model, or if several equal critiques would be written.
        ModelError: if one cannot be loaded.
    """
    if not critic or not model:
        raise ObjectiveError(
            "critique-reward has no critic or no model",
            allowed="both",
            fix="`truing reward critiques` makes the training data of both; see the guide to reward models",
        )
    if samples > 1 and temperature == 0 and isinstance(critic, str):
        raise ObjectiveError(
            f"{samples} critiques at temperature 0 are all the same",
            allowed="samples: 1, or a temperature above 0",
        )
    loaded = _loaded_critic(critic, max_length, max_new_tokens, temperature, seed)
    return CritiqueScorer(loaded, _loaded_scorer(model, max_length), samples)


def _loaded_critic(critic: Any, max_length: int, max_new_tokens: int, temperature: float, seed: int) -> Critic:
    if not isinstance(critic, str):
        own: Critic = critic
        return own
    return LanguageCritic(load_policy(critic), max_length, max_new_tokens, temperature, seed)


def _loaded_scorer(model: Any, max_length: int) -> Scorer:
    if not isinstance(model, str):
        own: Scorer = model
        return own
    return ModelScorer(RewardModel.load(model), max_length)
