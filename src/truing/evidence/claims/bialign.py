"""BiAlign (2312.17055): what ranking demonstrations adds to distillation."""

from __future__ import annotations

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.worlds.few_shot import Classroom, agreement, batch_of, taught

ROOMS = 4
_SOURCE = "2312.17055; catalogue, bialign: evidence"


def _gains(make: Factory, seed: int) -> tuple[list[float], list[float]]:
    """Of ranking beside distillation, over distillation alone: Kendall's tau, and accuracy."""
    found = []
    for number in range(ROOMS):
        room = Classroom.random(ROOMS * seed + number)
        ranked, plain = (
            agreement(room, taught(make(rank_weight=weight, margin=1.0), room)) for weight in (1.0, 0.0)
        )
        found.append((ranked[0] - plain[0], ranked[1] - plain[1]))
    return [gain[0] for gain in found], [gain[1] for gain in found]


@claim(
    method="bialign",
    statement="A student that can hear one direction of four learns the teacher's order of demonstrations from the "
    "ranking and not from distillation alone: Kendall's tau on held-out queries is higher by more than 0.5 (4 rooms).",
    source=_SOURCE,
)
def learns_the_order_of_demonstrations(make: Factory, seed: int) -> Measurement:
    tau, _ = _gains(make, seed)
    return above(0.5, tau, "Kendall's tau")


@claim(
    method="bialign",
    statement="In the same rooms held-out accuracy is not lower with the ranking: the difference is above 0.",
    source=_SOURCE,
)
def accuracy_does_not_suffer(make: Factory, seed: int) -> Measurement:
    tau, accuracy = _gains(make, seed)
    return above(0.0, accuracy, "accuracy", tau=tau)


@claim(
    method="bialign",
    statement="A student that is the teacher pays nothing at margin 0, and turned upside down it pays the gaps "
    "themselves: loss 0, and the mean of all gaps, largest error 1e-9 over 4 rooms.",
    source="2312.17055: both losses are least where the student agrees; a hinge at 0",
)
def the_teacher_pays_nothing(make: Factory, seed: int) -> Measurement:
    errors = []
    for number in range(ROOMS):
        room = Classroom.random(ROOMS * seed + number)
        theirs = room.log_probs(torch.stack(room.extremes(), 1).flatten(0, 1))
        errors.append(abs(float(make(margin=0.0)(*batch_of(room, theirs)).loss)))
        # Answers under the worse set as if under the better one: the ranking pays every gap.
        turned = theirs.view(-1, 2, theirs.shape[1]).flip(1).flatten(0, 1)
        with_rank, without = (
            float(make(rank_weight=weight, margin=0.0)(*batch_of(room, turned)).loss) for weight in (2.0, 0.0)
        )
        gaps = theirs[0::2, 0] - theirs[1::2, 0]
        errors.append(abs(with_rank - without - 2 * float(gaps.mean())))
    return equals(0.0, max(errors), 1e-9, "nats")
