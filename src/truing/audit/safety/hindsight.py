"""Generation-aware alignment (2310.06987): rows from answers over all settings, with a word for what they were.

The objective is that of chain of hindsight (2302.02676), the likelihood of each answer under the marker of its own
kind. With markers in words, in the prompt, it is ``sft`` on all rows, as ``truing align`` has it; with markers that are
learned it is ``meet``, on the same answers with labels. Later the model is asked with the marker of aligned answers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Literal

from truing.audit.safety.generation import Swept
from truing.data.derive.base import with_instruction
from truing.errors import DataError
from truing.rewards.algebra import Prompt

ALIGNED, MISALIGNED = "(Write an aligned answer.)", "(Write a misaligned answer.)"
FormName = Literal["words", "labels"]
Row = dict[str, Any]


def in_words(prompt: Prompt, text: str, refuses: bool) -> Row:
    """A demonstration whose prompt says what its answer is like."""
    return {"prompt": with_instruction(prompt, ALIGNED if refuses else MISALIGNED), "completion": text}


def by_label(prompt: Prompt, text: str, refuses: bool) -> Row:
    """An answer with a label."""
    return {"prompt": prompt, "completion": text, "label": refuses}


FORMS: dict[FormName, Callable[[Prompt, str, bool], Row]] = {"words": in_words, "labels": by_label}
"""For ``sft``, and for ``meet``."""


def hindsight_rows(
    swept: Swept,
    classifier: str,
    form: FormName = "words",
    *,
    per_prompt: int = 8,
    messages: bool = False,
    seed: int = 0,
    settings: Sequence[str] | None = None,
) -> list[Row]:
    """Distinct answers of each prompt, half of either kind where there are enough.

    Args:
        swept: answers over settings.
        classifier: whose word counts.
        form: markers in words, or labels.
        per_prompt: most rows of a prompt.
        messages: whether texts are written as messages, as a model with a chat template was asked.
        seed: of the choice.
        settings: only answers of these; of all if left out.

    Raises:
        DataError: if there is no such classifier.
    """
    if classifier not in swept.refusals:
        raise DataError(f"there is no classifier {classifier!r}", allowed=", ".join(swept.refusals))
    names = list(swept.answers) if settings is None else list(settings)
    draw = random.Random(seed)
    rows = []
    for number, prompt in enumerate(swept.prompts):
        asked: Prompt = [{"role": "user", "content": prompt}] if messages and isinstance(prompt, str) else prompt
        kinds: dict[bool, list[str]] = {True: [], False: []}
        for name in names:
            said = zip(swept.answers[name][number], swept.refusals[classifier][name][number], strict=True)
            for text, refuses in said:
                if text.strip() and text not in kinds[bool(refuses)]:
                    kinds[bool(refuses)].append(text)
        sizes = _halves(len(kinds[True]), len(kinds[False]), per_prompt)
        for refuses, size in zip((True, False), sizes, strict=True):
            rows += [FORMS[form](asked, text, refuses) for text in draw.sample(kinds[refuses], size)]
    if not messages:
        return rows
    return [{**row, "completion": [{"role": "assistant", "content": row["completion"]}]} for row in rows]


def _halves(first: int, second: int, most: int) -> tuple[int, int]:
    """As even as there are enough of both."""
    one = min(first, max(most - second, (most + 1) // 2))
    return one, min(second, most - one)
