"""One user's reward as a reward: named in recipes by folder and user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from truing.errors import DataError, ObjectiveError
from truing.parameters import Doc
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.personal.model import PersonalModel
from truing.rewards.plain import plain


@dataclass(frozen=True)
class PersonalScorer:
    """Judges text as one user would.

    Args:
        model: of several users.
        user: one of them.
    """

    model: PersonalModel
    user: str

    def __post_init__(self) -> None:
        if self.user not in self.model.users:
            raise DataError(
                f"nothing is known about the user {self.user!r}",
                where=self.model.name,
                allowed=", ".join(self.model.users[:8]),
                fix="add the user from a few labelled pairs first (`truing reward add-user`)",
            )

    @property
    def names(self) -> tuple[str, ...]:
        return (f"user-{self.user}",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        """Rewards of ``completions[i]`` as an answer to ``prompts[i]``; an empty answer has none."""
        found = self.model.rewards(prompts, completions, self.user)
        return Rewards.of(found, self.names, found.isfinite())


@plain(kind="reward", name="personal-reward", summary="The reward of one user of a personal reward model.")
def personal_reward_of(
    model: Annotated[str | None, Doc("folder of the model", "as `truing reward personal` writes them")] = None,
    user: Annotated[str | None, Doc("whose reward", "a user of the model")] = None,
) -> PersonalScorer:
    """R_u(x, y).

    Raises:
        ObjectiveError: without a model or a user.
        ModelError: if it is no personal reward model.
        DataError: if the user is not known.
    """
    if model is None or user is None:
        raise ObjectiveError(
            f"personal-reward has no {'model' if model is None else 'user'}",
            allowed="a folder and the name of a user",
            fix="e.g. {name: personal-reward, model: runs/personal/model, user: anna}",
        )
    return PersonalScorer(PersonalModel.load(model), user)
