"""Tasks: an instruction, items with their right answers, and examples of the task in front of an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from truing.data.files import find_files, no_such_file
from truing.data.readers import read_rows
from truing.errors import DataError, RecipeError, did_you_mean
from truing.prompting.answering import Answering, FromPolicy
from truing.prompting.transform import Shown
from truing.rewards.functions.exact_match import Ignored, normalised

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

FIELDS = ("task", "instruction", "input", "answer")
_IGNORED: frozenset[Ignored] = frozenset({"case", "space", "punctuation", "articles"})


@dataclass(frozen=True)
class Item:
    """One item: what is given, and what is right."""

    input: str
    answer: str


@dataclass(frozen=True)
class Task:
    """Items under one instruction."""

    name: str
    instruction: str
    items: tuple[Item, ...]

    @property
    def answers(self) -> list[str]:
        """The different right answers."""
        return sorted({item.answer for item in self.items})

    def questions(self, items: Sequence[Item], examples: Sequence[Item] = ()) -> list[Shown]:
        """The instruction, examples with their answers, and an item without: what stands after it is the answer."""
        told = "".join(f"\n\nInput: {one.input}\nOutput: {one.answer}" for one in examples)
        return [
            Shown.of(f"{self.instruction}{told}\n\nInput: {one.input}\nOutput:", {"answer": one.answer})
            for one in items
        ]


def read_tasks(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    instruction: str | None = None,
    items: int | None = None,
) -> list[Task]:
    """Tasks of a file.

    Args:
        source: file, folder or glob with the columns input and answer, and where there are several tasks, task and
            instruction.
        columns: renames, e.g. ``{"input": "sentence"}``.
        instruction: of a file without one.
        items: at most so many of each task, the first.

    Raises:
        DataError: if a column is missing, or a task has two instructions.
    """
    names = {**{field: field for field in FIELDS}, **(columns or {})}
    files = find_files(source, None, whole=True)
    if files is None:
        raise no_such_file(source)
    found: dict[str, tuple[str, list[Item]]] = {}
    for path in files:
        for number, row in read_rows(path):
            where = f"{path}:{number}"
            for field in ("input", "answer"):
                if row.get(names[field]) is None:
                    raise DataError(
                        f"there is no {field} in the column {names[field]!r}",
                        where=where,
                        allowed=", ".join(map(str, row)),
                        fix=did_you_mean(names[field], map(str, row)) or f"--column {field}=NAME",
                    )
            told = instruction or row.get(names["instruction"])
            if not told:
                raise DataError("a task has no instruction", where=where, fix="--instruction TEXT")
            name = str(row.get(names["task"]) or path.name.partition(".")[0])
            known, kept = found.setdefault(name, (str(told), []))
            if known != told:
                raise DataError(f"the task {name!r} has two instructions", where=where, fix="name tasks apart")
            if items is None or len(kept) < items:
                kept.append(Item(str(row[names["input"]]), str(row[names["answer"]])))
    return [Task(name, told, tuple(kept)) for name, (told, kept) in found.items()]


def renames(texts: Sequence[str]) -> dict[str, str]:
    """Columns as they are typed on a command line, ``input=sentence``.

    Raises:
        RecipeError: if one is written otherwise.
    """
    found = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not (equals and column) or field not in FIELDS:
            raise RecipeError(
                f"{text!r} renames nothing",
                where="--column",
                allowed=f"FIELD=COLUMN with a field of {', '.join(FIELDS)}",
                fix=did_you_mean(field, FIELDS),
            )
        found[field] = column
    return found


def written_right(answering: Answering, shown: Sequence[Shown], draw: int = 0) -> list[float]:
    """1 where the first line of an answer begins with the right one, up to case, space and punctuation."""
    answers = answering(shown, draw)
    return [float(_begins(answer, str(one.context["answer"]))) for one, answer in zip(shown, answers, strict=True)]


def _begins(answer: str, right: str) -> bool:
    line = next((line for line in answer.splitlines() if line.strip()), "")
    own, wanted = (normalised(text, _IGNORED).split() for text in (line, right))
    return bool(wanted) and own[: len(wanted)] == wanted


def chosen_right(policy: CausalPolicy, shown: Sequence[Shown], answers: Sequence[str]) -> list[float]:
    """1 where the right answer is the likeliest of the task's, per token; for models too weak to write it.

    Raises:
        ModelError: if the model has no tokenizer.
    """
    from truing.data.tokenise import token_ids
    from truing.policies.generation import Sampling
    from truing.policies.packing import Tree

    heads = FromPolicy(policy, Sampling()).texts(shown)
    trees = []
    for head in heads:
        trunk, *wholes = token_ids(policy.tokenizer, [head, *(f"{head} {answer}" for answer in answers)])
        # Where the last token of the head joins the answer's first, both are scored from before it.
        same = min(
            next((i for i, (a, b) in enumerate(zip(trunk, whole, strict=False)) if a != b), len(trunk))
            for whole in wholes
        )
        trees.append(Tree(trunk[:same], [whole[same:] for whole in wholes]))
    with policy.evaluating():
        scores = policy.score_all(trees)
    lengths = torch.tensor([len(branch) for tree in trees for branch in tree.branches])
    likely = (scores.total(scores.token_logps).cpu() / lengths).reshape(len(trees), len(answers)).argmax(1)
    return [float(answers[int(place)] == one.context["answer"]) for one, place in zip(shown, likely, strict=True)]
