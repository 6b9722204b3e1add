"""Balance of the labels of unpaired data, and what it means for KTO's weights."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding


def kto_weights(liked: int, disliked: int) -> tuple[float, float]:
    """Weights (desirable, undesirable) of KTO, the larger class at 1.

    KTO (2402.01306, eq. 9) asks for desirable·n_liked / (undesirable·n_disliked) between 1 and 4/3. The ratio is
    brought to the nearest bound.
    """
    ratio = liked / disliked
    target = min(max(ratio, 1.0), 4 / 3)
    return (1.0, ratio / target) if ratio > target else (target / ratio, 1.0)


def _run(subject: Subject) -> list[Finding]:
    liked = [number for number, row in zip(subject.ids, subject.rows, strict=True) if row["label"]]
    good, bad = len(liked), len(subject) - len(liked)
    if not good or not bad:
        side = "liked" if good else "disliked"
        return [
            finding(
                f"answers that are {side}",
                len(subject),
                len(subject),
                f"All answers are {side}: there is nothing to tell apart.",
                "Add answers of the other kind"
                + (", or use them as demonstrations (sft)." if good else ".")
                + " A label column that was read wrongly looks like this.",
                severity="problem",
            )
        ]
    desirable, undesirable = kto_weights(good, bad)
    # Within a quarter of KTO's bounds the weights hardly matter.
    balanced = 0.75 <= good / bad <= 5 / 3
    return [
        finding(
            "liked answers",
            good,
            len(subject),
            f"{good:,} liked and {bad:,} disliked answers."
            + ("" if balanced else " KTO with equal weights would follow the larger class."),
            "" if balanced else f"For KTO set desirable: {desirable:.3g} and undesirable: {undesirable:.3g}.",
            severity="info" if balanced else "warning",
            ids=(),
            values={"liked": good, "disliked": bad, "kto_desirable": desirable, "kto_undesirable": undesirable},
        )
    ]


CHECKS.add(Check("labels", "how many answers are liked, and KTO's weights", _run, kinds=frozenset({"unpaired"})))
