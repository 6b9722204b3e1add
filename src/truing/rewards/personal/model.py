"""A personal reward model on disk: a frozen model by name, and what was fitted on its states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from truing.data.records import Records
from truing.errors import DataError, ModelError, RunError
from truing.policies.packing import Tree
from truing.rewards.algebra import Prompt
from truing.rewards.models.texts import placed_trees
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.encoder import FrozenEncoder
from truing.rewards.personal.fitted import PersonalRewards
from truing.rewards.personal.pal import Pal
from truing.training.examples import ExampleData
from truing.writing import atomic_path, write_json

FILE, TENSORS = "personal.json", "personal.safetensors"


@dataclass(frozen=True)
class PersonalModel:
    """Rewards of users for texts.

    Attributes:
        name: folder, or what it is called in messages.
        encoder: the frozen model.
        settings: how it was fitted.
        fitted: ideal points and users.
        max_length: tokens of prompt plus answer.
    """

    name: str
    encoder: FrozenEncoder
    settings: Pal
    fitted: PersonalRewards
    max_length: int

    @property
    def users(self) -> tuple[str, ...]:
        """Whose rewards are known."""
        return self.fitted.names

    def rewards(self, prompts: Sequence[Prompt], completions: Sequence[str], user: str) -> Tensor:
        """R_user of ``completions[i]`` as an answer to ``prompts[i]``, float64 ``[N]``; ``nan`` for an empty answer.

        Raises:
            DataError: if the user is not known.
        """
        found = torch.full((len(completions),), torch.nan, dtype=torch.float64)
        placed = placed_trees(self.encoder.policy.tokenizer, self.max_length, prompts, completions)
        if not placed:
            return found
        values = self.table([own.tree for own in placed], [user])
        found[torch.tensor([place for own in placed for place in own.places])] = values[:, 0]
        return found

    def table(self, trees: Sequence[Tree], users: Sequence[str]) -> Float[Tensor, "answers users"]:
        """Rewards of every answer, trees after trees, by each of these users, float64.

        Raises:
            DataError: if a user is not known.
        """
        counts = torch.tensor([len(tree.branches) for tree in trees])
        prompts = self.encoder.prompts(trees).repeat_interleave(counts, 0)
        answers = self.encoder.answers(trees)
        columns = [self.fitted.rewards([user] * len(answers), prompts, answers) for user in users]
        return torch.stack(columns, 1).double()

    def comparisons(self, records: Records, examples: ExampleData) -> Comparisons:
        """Pairs as vectors.

        Raises:
            DataError: if a row does not say who labelled it.
        """
        check_annotators(records)
        return self.encoder.comparisons(records, examples)

    def examples(self, records: Records) -> ExampleData:
        """Records as tokens."""
        return self.encoder.examples(records, max_length=self.max_length)

    def with_user(self, name: str, records: Records) -> PersonalModel:
        """The same and one user more, from pairs that the user labelled; see :meth:`PersonalRewards.with_user`.

        Raises:
            DataError: if there is a user of that name, or the records are no pairs.
        """
        examples = self.examples(records)
        pairs = self.encoder.labelled([name] * len(examples), examples)
        return replace(self, fitted=self.fitted.with_user(name, pairs))

    def described(self) -> dict[str, Any]:
        """What a record of a run says of it."""
        weights = {
            user: [round(float(value), 4) for value in own]
            for user, own in zip(self.users, self.fitted.weights, strict=True)
        }
        return {
            "method": "pal",
            "encoder": self.encoder.name,
            "settings": asdict(self.settings),
            "weights": weights,
        }

    def save(self, folder: Path) -> None:
        """Write it; the frozen model is named, not copied.

        Raises:
            RunError: if the folder holds something else.
        """
        if folder.is_dir() and not is_personal(str(folder)) and any(folder.iterdir()):
            raise RunError("the folder holds something else", where=str(folder), fix="name another folder")
        stored = {
            "encoder": self.encoder.name,
            "fingerprint": self.encoder.fingerprint,
            "max_length": self.max_length,
            "settings": asdict(self.settings),
            "users": list(self.users),
        }
        tensors = {name: own.contiguous() for name, own in self.fitted.points.state_dict().items()}
        with atomic_path(folder) as partial:
            partial.mkdir(parents=True)
            save_file(tensors, str(partial / TENSORS))
            write_json(partial / FILE, stored)

    @classmethod
    def load(cls, name: str | Path) -> PersonalModel:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: if it is something else, or the frozen model is not the one that it was fitted on.
        """
        folder = Path(name).expanduser()
        try:
            stored = json.loads((folder / FILE).read_text(encoding="utf-8"))
            tensors = load_file(str(folder / TENSORS))
            settings, users = Pal(**stored["settings"]), tuple(stored["users"])
            points = settings.untrained(len(tensors["centre"]), len(users))
            points.load_state_dict(tensors)
            encoder_name, fingerprint, max_length = stored["encoder"], stored["fingerprint"], stored["max_length"]
        except FileNotFoundError as error:
            inside = folder / "model"
            raise ModelError(
                f"this is no personal reward model: there is no {Path(error.filename or FILE).name} in it",
                where=str(name),
                allowed="the `model` folder of `truing reward personal`",
                fix=f"name {str(inside)!r}" if is_personal(str(inside)) else None,
            ) from None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"this is no personal reward model: {str(error).splitlines()[0]}",
                where=str(name),
                allowed="the `model` folder of `truing reward personal`",
            ) from None
        encoder = FrozenEncoder.load(encoder_name)
        if encoder.fingerprint != fingerprint:
            raise ModelError(
                f"the frozen model {encoder_name!r} has other weights than when users were fitted on its states",
                where=str(name),
                fix="put the model back, or fit anew",
            )
        fitted = PersonalRewards(points.eval().requires_grad_(False), users)
        return cls(str(name), encoder, settings, fitted, max_length)


def is_personal(name: str) -> bool:
    """Whether a name is the folder of a personal reward model."""
    return (Path(name).expanduser() / FILE).is_file()


def check_annotators(records: Records) -> None:
    """Raise where a row does not say who labelled it.

    Raises:
        DataError: naming the row.
    """
    fix = "call the column that does `annotator`, or name it in a recipe: data.columns: {annotator: YOUR_COLUMN}"
    if "annotator" not in records.columns:
        raise DataError("no row says who labelled it", where=records.source, fix=fix)
    for name, user in zip(records.dataset["id"], records.dataset["annotator"], strict=True):
        if not user:
            raise DataError("the row does not say who labelled it", where=f"{records.source}, row {name}", fix=fix)
