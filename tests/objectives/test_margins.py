"""Margins of pairs, and the statistics that are subtracted from absolute scores."""

from __future__ import annotations

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives.algebra import (
    Batch,
    ConstantMargin,
    LengthMargin,
    Logistic,
    Margins,
    MismatchedKL,
    Objective,
    Pairwise,
    RecordMargin,
    RunningMean,
    Scores,
    log_ratio,
)

SCORES = Scores(torch.zeros(9), torch.tensor([0, 0, 0, 1, 2, 3, 3, 3, 3]), 4, torch.zeros(9))
PAIRS = Batch.pairs(2, margin=torch.tensor([0.5, 2.0]))


class TestMargins:
    def test_a_constant_is_the_same_for_the_exchanged_pair(self) -> None:
        assert ConstantMargin(0.7)(SCORES, PAIRS) == ConstantMargin(0.7)(SCORES, PAIRS.exchanged()) == 0.7

    def test_a_price_on_length_turns_with_the_pair(self) -> None:
        # |y_w| − |y_l| = 3 − 1 and 1 − 4.
        assert LengthMargin(0.1)(SCORES, PAIRS).tolist() == pytest.approx([0.2, -0.3])
        assert LengthMargin(0.1)(SCORES, PAIRS.exchanged()).tolist() == pytest.approx([-0.2, 0.3])

    def test_the_margin_of_the_record(self) -> None:
        assert RecordMargin(2.0)(SCORES, PAIRS).tolist() == [1.0, 4.0]
        assert RecordMargin(2.0)(SCORES, PAIRS.exchanged()).tolist() == [-1.0, -4.0]
        assert RecordMargin().requires == {"column:margin"}

    def test_a_record_without_margin_says_what_to_do(self) -> None:
        with pytest.raises(ObjectiveError, match=r"`margin` column, but the data has none[\s\S]*add a `margin`"):
            RecordMargin()(SCORES, Batch.pairs(2))

    def test_margins_add_up(self) -> None:
        both = Margins((ConstantMargin(1.0), LengthMargin(0.1), RecordMargin()))
        assert both(SCORES, PAIRS).tolist() == pytest.approx([1.7, 2.7])
        assert both.requires == {"column:margin"}
        assert Margins((ConstantMargin(1.0), ConstantMargin(2.0)))(SCORES, PAIRS) == 3.0

    def test_the_margin_is_subtracted_from_the_gap(self) -> None:
        term = Pairwise(log_ratio(), Logistic(), margin=LengthMargin(0.1))
        objective = Objective("x", ((1.0, term),))
        # All gaps are 0: −log σ(−0.2) and −log σ(0.3), averaged.
        expected = (torch.nn.functional.softplus(torch.tensor([0.2, -0.3]))).mean()
        assert float(objective(SCORES, PAIRS).loss) == pytest.approx(float(expected))
        assert objective.requires == {"reference"}


class TestMismatchedKL:
    def test_the_mean_of_mismatched_log_ratios(self) -> None:
        shift = MismatchedKL()
        state = shift.update(shift.init(), None, Batch.unpaired([True, False]), torch.tensor([1.0, 3.0]), True)
        assert float(shift(state)) == 2.0

    def test_it_is_never_negative(self) -> None:
        shift = MismatchedKL()
        state = shift.update(shift.init(), None, Batch.unpaired([True, False]), torch.tensor([1.0, -3.0]), True)
        assert float(shift(state)) == 0.0

    def test_weights_count(self) -> None:
        batch = Batch.unpaired([True, False], weight=torch.tensor([3.0, 1.0]))
        state = MismatchedKL().update({}, None, batch, torch.tensor([1.0, 5.0]), True)
        assert float(state["kl"]) == 2.0

    @pytest.mark.parametrize("auxiliary", [None, torch.zeros(0)])
    def test_without_mismatched_completions_it_says_why(self, auxiliary: torch.Tensor | None) -> None:
        with pytest.raises(ObjectiveError, match="needs mismatched completions, and the batch has none"):
            MismatchedKL().update({}, None, Batch.unpaired([True]), auxiliary, True)

    def test_evaluation_uses_its_own_batch(self) -> None:
        shift = MismatchedKL()
        state = shift.update({"kl": torch.tensor(9.0)}, None, Batch.unpaired([True]), torch.tensor([1.0]), False)
        assert float(shift(state)) == 1.0


class TestRunningMean:
    @staticmethod
    def after(shift: RunningMean, *batches: tuple[list[bool], list[float]], training: bool = True) -> float:
        state = shift.init()
        for labels, values in batches:
            state = shift.update(state, torch.tensor(values), Batch.unpaired(labels), None, training)
        return float(shift(state))

    def test_the_midpoint_of_class_means_not_the_mean_of_all(self) -> None:
        # Liked: mean 2; disliked: −4. The midpoint is −1, the mean of all four 0.5.
        assert self.after(RunningMean(), ([True, True, True, False], [1.0, 2.0, 3.0, -4.0])) == -1.0

    def test_it_averages_all_batches(self) -> None:
        # Liked: (1 + 5)/2 = 3, disliked: (−1 − 3)/2 = −2.
        assert self.after(RunningMean(), ([True, False], [1.0, -1.0]), ([True, False], [5.0, -3.0])) == 0.5

    def test_a_class_that_is_absent_keeps_its_mean(self) -> None:
        assert self.after(RunningMean(), ([True, False], [1.0, -1.0]), ([True, True], [3.0, 5.0])) == 1.0

    def test_nothing_is_subtracted_until_both_classes_were_seen(self) -> None:
        assert self.after(RunningMean(), ([True, True], [3.0, 5.0])) == 0.0
        assert self.after(RunningMean(), ([True, True], [3.0, 5.0]), ([False], [-2.0])) == 1.0

    def test_momentum_forgets(self) -> None:
        # Liked: 0.75·1 + 0.25·5 = 2; disliked stays at −1; the midpoint is ½.
        one, two = ([True, False], [1.0, -1.0]), ([True, False], [5.0, -1.0])
        assert self.after(RunningMean(0.75), one, two) == 0.5
        # Without a past the first batch is taken whole, and momentum 0 keeps nothing of it.
        assert self.after(RunningMean(0.75), one) == 0.0
        assert self.after(RunningMean(0.0), one, two) == 2.0

    def test_evaluation_leaves_it_alone(self) -> None:
        assert self.after(RunningMean(), ([True, False], [1.0, 3.0]), training=False) == 0.0

    def test_the_state_is_not_written_in_place(self) -> None:
        shift = RunningMean()
        state = shift.init()
        shift.update(state, torch.tensor([1.0, 2.0]), Batch.unpaired([True, False]), None, True)
        assert float(state["counts"].sum()) == 0.0

    def test_weights_count(self) -> None:
        batch = Batch.unpaired([True, True, False], weight=torch.tensor([3.0, 1.0, 1.0]))
        shift = RunningMean()
        state = shift.update(shift.init(), torch.tensor([1.0, 5.0, 0.0]), batch, None, True)
        assert float(shift(state)) == 1.0
