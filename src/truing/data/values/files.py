"""From demonstrations to files of pairs under system messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from truing.data.derive.base import said
from truing.data.sources import load
from truing.data.values.contrast import Answer, Plan, contrast
from truing.data.values.taxonomy import Taxonomy
from truing.data.views import view
from truing.errors import DataError
from truing.writing import write_text

TRAIN, UNSEEN = "train.jsonl", "unseen.jsonl"


def make_files(
    path: str,
    output: Path,
    taxonomy: Taxonomy,
    *,
    sets: int = 3,
    default_share: float = 0.1,
    held_out: float = 0.2,
    seed: int = 0,
    limit: int | None = None,
    answer: Answer | None = None,
) -> dict[str, int]:
    """Write pairs to train on, and pairs under combinations that they do not have.

    Args:
        path: demonstrations, as any command reads them; a tenth of the instructions, and one at least, are kept
            for the combinations that are held out.
        output: folder.
        taxonomy: of values.
        sets, default_share, held_out, seed: see :class:`~truing.data.values.contrast.Plan`.
        limit: rows that are read.
        answer: answers under messages; rules on the plain answers, if left out.

    Returns:
        Rows by file.

    Raises:
        DataError: if the data cannot be read as demonstrations, or the numbers leave nothing to write.
    """
    loaded = load(path, limit=limit)
    if loaded.kind == "unwanted":
        raise DataError(
            "system messages are given to plain answers, and these answers are unwanted",
            where=f"{path}, layout {loaded.layout!r}",
            allowed="demonstrations, or preferences, whose chosen answers are taken",
        )
    records = view(loaded, {"demonstrations"})
    rows = [
        {"id": str(row["id"]), "prompt": said(row["prompt"]), "completion": said(row["completion"])}
        for row in records.dataset
    ]
    plan = Plan(taxonomy, sets, default_share, held_out, seed=seed)
    kept = max(1, len(rows) // 10) if held_out else 0
    if len(rows) <= kept:
        raise DataError(f"{len(rows)} demonstrations are too few", where=path, allowed="at least 2")
    made = {}
    for name, own, unseen in ((TRAIN, rows[kept:], False), (UNSEEN, rows[:kept], True)):
        if not own:
            continue
        found = list(contrast(plan, own, answer, unseen=unseen))
        write_text(output / name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found))
        made[name] = len(found)
    return made


def endpoint_answers(url: str | None, model: str | None, key_from: str | None) -> Answer:
    """Answers of a model behind an OpenAI-compatible endpoint; replies are kept, and asked for once.

    Raises:
        ObjectiveError: without url or model, or if the key is not to be had.
    """
    from truing.rewards.judges.patience import Patience
    from truing.rewards.judges.remote import asking_of
    from truing.rewards.judges.usage import Usage

    asking = asking_of(url, model, key_from, 0.7, 1024, 8, Patience(6, 120.0, 1.0), None, Usage(0.0, 0.0))

    def answer(asked: Sequence[tuple[str, str]]) -> list[str | None]:
        questions = [
            [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
            for system, prompt in asked
        ]
        return asking(questions, lambda reply: reply.strip() or None)

    return answer
