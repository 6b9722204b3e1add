"""Answers to prompts as they are shown: from a chat model, or from a model on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from truing.chat.model import ChatModel
from truing.errors import ModelError
from truing.prompting.transform import Shown

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy
    from truing.policies.generation import Sampling


class Answering(Protocol):
    """Answers prompts."""

    def __call__(self, shown: Sequence[Shown], draw: int = 0) -> list[str]:
        """One answer to each, without what comes after its end; other numbers of ``draw`` draw other answers."""


@dataclass(frozen=True)
class FromChat:
    """Answers of a chat model. What is to be continued verbatim is sent as a user's message.

    Args:
        model: whom to ask; more than one draw needs one with ``seeded``.
        seed: of the first draw, with which the model was made; other draws add their number.
    """

    model: ChatModel
    seed: int = 0

    def __call__(self, shown: Sequence[Shown], draw: int = 0) -> list[str]:
        """One answer to each.

        Raises:
            ModelError: if another than the first is wanted of a model that takes no seed.
        """
        model = self._drawing(draw)
        questions = [
            [{"role": "user", "content": one.prompt}]
            if isinstance(one.prompt, str)
            else [dict(message) for message in one.prompt]
            for one in shown
        ]
        replies = model(questions, str)
        return [one.answer(reply or "") for one, reply in zip(shown, replies, strict=True)]

    def _drawing(self, draw: int) -> ChatModel:
        if not draw:
            return self.model
        seeded: Callable[[int], ChatModel] | None = getattr(self.model, "seeded", None)
        if seeded is None:
            raise ModelError(
                f"the chat model {self.model.name!r} takes no seed, and gives one answer to each question",
                fix="draw one, or take a model that has `seeded`, as those of truing.chat.chat_model have",
            )
        return seeded(self.seed + draw)


def as_read(tokenizer: object, shown: Shown) -> str:
    """A prompt as a model reads it, special tokens included."""
    from truing.decoding.drawing import continued, rendered

    if shown.verbatim and isinstance(shown.prompt, str):
        return continued(tokenizer, shown.prompt)
    return rendered(tokenizer, shown.prompt)


@dataclass(frozen=True)
class FromPolicy:
    """Answers of a model on this machine.

    At a temperature above 0 each prompt is answered by itself with the seed of ``draw``, so that two prompts for the
    same question meet the same random numbers.

    Args:
        policy: the model, with its tokenizer.
        sampling: how to draw.
        front: token ids in front of every prompt, e.g. a control code's.
    """

    policy: CausalPolicy
    sampling: Sampling
    front: tuple[int, ...] = ()

    def __call__(self, shown: Sequence[Shown], draw: int = 0) -> list[str]:
        from truing.policies.generation import generate

        ids = self.tokens(shown)
        sampling = replace(self.sampling, seed=self.sampling.seed + draw)
        if sampling.temperature == 0:
            drawn = generate(self.policy, ids, sampling)
        else:
            drawn = [generate(self.policy, [prompt], sampling)[0] for prompt in ids]
        assert self.policy.tokenizer is not None
        decoded = [str(self.policy.tokenizer.decode(tokens, skip_special_tokens=True)) for tokens in drawn]
        return [one.answer(text) for one, text in zip(shown, decoded, strict=True)]

    def texts(self, shown: Sequence[Shown]) -> list[str]:
        """Prompts as the model reads them, special tokens included.

        Raises:
            ModelError: if the model has no tokenizer.
        """
        tokenizer = self.policy.tokenizer
        if tokenizer is None:
            raise ModelError("answering needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
        return [as_read(tokenizer, one) for one in shown]

    def tokens(self, shown: Sequence[Shown]) -> list[list[int]]:
        """Their token ids.

        Raises:
            ModelError: if the model has no tokenizer, or a prompt leaves no room for an answer.
        """
        from truing.data.tokenise import token_ids

        ids = [[*self.front, *found] for found in token_ids(self.policy.tokenizer, self.texts(shown))]
        room = getattr(self.policy.inner.config, "max_position_embeddings", None)
        longest = max((len(found) for found in ids), default=0)
        if room is not None and longest + self.sampling.max_new_tokens > room:
            raise ModelError(
                f"a prompt of {longest:,} tokens and an answer of {self.sampling.max_new_tokens:,} are more than "
                f"the model's {room:,}",
                fix="show it less (fewer examples or guidelines), shorten the answers, or take a model that reads more",
            )
        return ids
