"""What is drawn over the steps of a reward model's training."""

from __future__ import annotations

from truing.report.figures.learning import OPTIMISATION, Spec, chance

REWARD_CURVES: tuple[tuple[str, tuple[Spec, ...]], ...] = (
    (
        "Did it learn the order of the pairs?",
        (
            Spec(
                "loss",
                "Loss",
                "loss",
                "loss",
                "What training minimises. Held-out loss that rises is over-fitting.",
            ),
            Spec(
                "order",
                "Accuracy",
                "rewards/accuracy",
                "share of pairs",
                "Pairs in which the chosen answer has the higher reward. Shaded: 95 % interval of the held-out value.",
                share=True,
                levels=chance,
                counts_records=True,
            ),
            Spec(
                "gap",
                "Mean gap",
                "rewards/margin",
                "chosen − rejected reward",
                "How far the model holds the answers of a pair apart. A gap that grows while held-out accuracy does "
                "not is confidence without knowledge.",
            ),
            Spec(
                "levels",
                "Level of the rewards",
                "rewards",
                "reward",
                "A comparison leaves the level open; a level that wanders is to be tied (`centre` of bradley-terry).",
                sides=True,
            ),
        ),
    ),
    OPTIMISATION,
)
