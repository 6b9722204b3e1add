"""Greedy and sampled answers of a model to questions, kept on disk as they are drawn."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.data.questions.question import Question
from truing.data.readers import read_rows
from truing.errors import DataError, ModelError
from truing.policies.generation import Sampling

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Progress = Callable[[int, int], None]
CHUNK = 16
"""Questions that are answered, and written, at a time."""


@dataclass(frozen=True)
class Answers:
    """What a model said to one question.

    Attributes:
        id: of the question.
        greedy: its likeliest answer.
        samples: drawn ones.
    """

    id: str
    greedy: str
    samples: tuple[str, ...] = ()


def draw(policy: CausalPolicy, prompts: Sequence[Any], count: int, sampling: Sampling) -> list[list[str]]:
    """``count`` answers to each prompt, as texts.

    Args:
        policy: the model, with its tokenizer.
        prompts: texts or messages.
        count: answers to each.
        sampling: how they are drawn.

    Raises:
        ModelError: if the model has no tokenizer.
    """
    from truing.data.tokenise import token_ids
    from truing.decoding.drawing import rendered
    from truing.policies.group_sampling import GroupSampler

    tokenizer = policy.tokenizer
    if tokenizer is None:
        raise ModelError("drawing needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
    ids = token_ids(tokenizer, [rendered(tokenizer, prompt) for prompt in prompts])
    groups = GroupSampler(policy)(ids, count, sampling)
    return [[str(tokenizer.decode(one, skip_special_tokens=True)).strip() for one in group] for group in groups]


def sampled_answers(
    policy: CausalPolicy,
    questions: Sequence[Question],
    ask: Callable[[str], Any],
    count: int,
    sampling: Sampling,
    *,
    kept: Path | None = None,
    key: str = "",
    progress: Progress | None = None,
) -> list[Answers]:
    """The greedy answer and ``count`` sampled ones to each question.

    Args:
        policy: the model.
        questions: what is asked.
        ask: from a question's text to the prompt, a text or messages.
        count: samples of each question; may be 0.
        sampling: how samples are drawn; the greedy answer is at temperature 0.
        kept: file of answers. Those of the same model, questions and settings are read from it, others are appended.
        key: what tells the model from others in that file.
        progress: called with (questions done, questions in all).

    Raises:
        DataError: if the file cannot be read.
    """
    found: list[Answers] = []
    old: dict[str, list[Answers]] = {}
    if kept is not None and kept.exists():
        _cut(kept)
        old = dict(_kept(kept))
    for start in range(0, len(questions), CHUNK):
        part = questions[start : start + CHUNK]
        prompts = [ask(one.text) for one in part]
        own = json.dumps([key, count, asdict(sampling), [one.id for one in part], prompts], ensure_ascii=False)
        made = old.get(own)
        if made is None:
            greedy = draw(policy, prompts, 1, replace(sampling, temperature=0.0))
            # Every part draws numbers of its own.
            many = draw(policy, prompts, count, replace(sampling, seed=sampling.seed + start)) if count else []
            made = [Answers(one.id, greedy[i][0], tuple(many[i]) if count else ()) for i, one in enumerate(part)]
            if kept is not None:
                _append(kept, own, made)
        found += made
        if progress is not None:
            progress(len(found), len(questions))
    return found


def _append(path: Path, key: str, made: Sequence[Answers]) -> None:
    from truing.writing import explain_disk_errors

    with explain_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(
                json.dumps({"key": key, "answers": [asdict(one) for one in made]}, ensure_ascii=False) + "\n"
            )


def _cut(path: Path) -> None:
    """Cut a last line that a killed process left unfinished; what is appended would stand behind it."""
    from truing.writing import explain_disk_errors

    written = path.read_bytes()
    whole = written.rfind(b"\n") + 1
    if whole < len(written):
        with explain_disk_errors(path):
            os.truncate(path, whole)


def _kept(path: Path) -> Iterator[tuple[str, list[Answers]]]:
    """Parts of a file of whole lines."""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], start=1):
        try:
            row = json.loads(line)
            answers = [Answers(one["id"], one["greedy"], tuple(one["samples"])) for one in row["answers"]]
        except (ValueError, KeyError, TypeError):
            raise DataError(
                "this is no line of kept answers", where=f"{path}:{number}", fix="remove the file, to draw again"
            ) from None
        yield row["key"], answers


def recorded_answers(path: Path, questions: Sequence[Question], where: str) -> list[Answers]:
    """Answers from a file with ``id``, ``greedy`` and ``samples``, in the order of the questions.

    Raises:
        DataError: if a row is malformed, or a question has no row.
    """
    found: dict[str, Answers] = {}
    for number, row in read_rows(path):
        greedy, samples = row.get("greedy"), row.get("samples")
        if not isinstance(greedy, str) or not isinstance(samples, list) or "id" not in row:
            raise DataError(
                "recorded answers need id, greedy and samples",
                where=f"{where}, {path}:{number}",
                allowed='{"id": "q1", "greedy": "an answer", "samples": ["an answer", "another"]}',
            )
        found[str(row["id"])] = Answers(str(row["id"]), greedy, tuple(str(one) for one in samples))
    missing = [one.id for one in questions if one.id not in found]
    if missing:
        raise DataError(f"question {missing[0]!r} has no recorded answers", where=f"{where} {path}")
    return [found[one.id] for one in questions]
