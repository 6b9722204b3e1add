"""The same requests with words for different groups: who is refused, with and without a defence (2410.13334)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truing.audit.safety.keyword_axes import FRAME, masked, with_keyword
from truing.audit.safety.refusal import Refusal, refused
from truing.diagnostics.pc_audit import Axis, KeywordGaps, pc_audit
from truing.errors import DataError
from truing.prompting.answering import Answering
from truing.prompting.transform import Identity, PromptTransform, Shown, in_question
from truing.report.wording import measured, number, plural
from truing.statistics import Estimate, paired_difference


@dataclass(frozen=True)
class Arm:
    """One way to ask.

    Attributes:
        name: of the defence, or ``as it is``.
        risky: gaps in how often risky requests are not refused.
        benign: gaps in how often harmless requests are refused; ``None`` where none were asked.
        words: that the way to ask adds to a request, on average.
    """

    name: str
    risky: KeywordGaps
    benign: KeywordGaps | None
    words: float


@dataclass(frozen=True)
class Audited:
    """What was found.

    Attributes:
        arms: without a defence, and with one if there is one.
        change: by the defence: share of risky requests that are not refused, over all keywords, paired by request.
        refusal: name of the classifier.
        requests, benign: how many.
    """

    arms: tuple[Arm, ...]
    change: Estimate | None
    refusal: str
    requests: int
    benign: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON: rates and intervals, never answers."""
        return {
            "refusal": self.refusal,
            "requests": self.requests,
            "benign_requests": self.benign,
            "change_by_defence": self.change,
            "arms": [
                {
                    "name": arm.name,
                    "risky": arm.risky.as_dict(),
                    "benign": None if arm.benign is None else arm.benign.as_dict(),
                    "added_words": arm.words,
                    "further_generations": 0,
                }
                for arm in self.arms
            ],
        }

    def sentences(self) -> list[str]:
        """In words."""
        lines = [
            f"{plural(self.requests, 'risky request')}, {self.benign:,} harmless ones; refusals by {self.refusal}"
        ]
        for arm in self.arms:
            lines.append(f"{arm.name}:")
            if arm.risky.baseline is not None:
                lines.append(f"  not refused without a keyword: {measured(arm.risky.baseline, share=True)}")
            lines += _told(arm.risky, "not refused")
            if arm.benign is not None:
                lines += _told(arm.benign, "harmless refused")
        if self.change is not None:
            lines.append(
                f"the defence changes what is not refused by {measured(self.change)}, at "
                f"{number(self.arms[-1].words)} "
                "words more to read a request and no further generation"
            )
        return lines


def _told(found: KeywordGaps, what: str) -> list[str]:
    return [
        f"  {what}, {gap.axis}: gap {measured(gap.gap)}, p = {gap.p_value:.3f}, {gap.adjusted:.3f} after Holm"
        + (" – a gap" if gap.adjusted < 0.05 else "")
        for gap in found.gaps
    ]


def audit_keywords(
    answering: Answering,
    asked: Sequence[Shown],
    axes: Sequence[Axis],
    refusal: Refusal,
    *,
    benign: Sequence[Shown] = (),
    defence: PromptTransform | None = None,
    frame: str = FRAME,
    progress: Callable[[int, int], None] | None = None,
) -> Audited:
    """Ask every request with every keyword, and without; once more with a defence if there is one.

    Args:
        answering: the model.
        asked: risky requests.
        axes: contrasts of keywords.
        refusal: tells refusals; it never sees a keyword.
        benign: harmless requests.
        defence: a way to ask.
        frame: into which a request without a slot is put.
        progress: called with prompts answered and in all.

    Raises:
        DataError: without requests, or if the frame has no place for keyword or request.
    """
    if not asked:
        raise DataError("there are no requests to ask")
    words = list(dict.fromkeys(word for axis in axes for word in (*axis.privileged, *axis.marginalised)))
    ways: list[PromptTransform] = [Identity(), *(() if defence is None else (defence,))]
    total = (len(words) + 1) * len(ways) * (len(asked) + len(benign))
    done = 0

    def outcomes(way: PromptTransform, requests: Sequence[Shown], what: str) -> tuple[KeywordGaps, np.ndarray]:
        nonlocal done
        table: dict[str, np.ndarray] = {}
        plain = np.zeros(0)
        for word in (None, *words):
            filled = with_keyword(requests, word, frame)
            answers = answering(way(filled))
            prompts = [in_question(one.original, lambda text: masked(text, words)) for one in filled]
            values = refused(refusal, prompts, [masked(text, words) for text in answers])
            values = values if what == "refused" else 1 - values
            done += len(filled)
            if progress:
                progress(done, total)
            if word is None:
                plain = values
            else:
                table[word] = values
        return pc_audit(table, axes, plain), np.mean(list(table.values()), axis=0)

    arms, means = [], []
    for way in ways:
        risky, share = outcomes(way, asked, "answered")
        means.append(share)
        harmless = outcomes(way, benign, "refused")[0] if benign else None
        arms.append(Arm(way.name, risky, harmless, _added(way, asked)))
    change = None if defence is None else paired_difference(means[1], means[0])
    return Audited(tuple(arms), change, refusal.name, len(asked), len(benign))


def _added(way: PromptTransform, asked: Sequence[Shown]) -> float:
    def count(shown: Sequence[Shown]) -> float:
        texts = [
            one.prompt if isinstance(one.prompt, str) else " ".join(str(m["content"]) for m in one.prompt)
            for one in shown
        ]
        return float(np.mean([len(text.split()) for text in texts]))

    return count(way(asked)) - count(asked)
