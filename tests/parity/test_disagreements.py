"""Where TRL 1.16, the papers and the method catalogue disagree: which, why, and both numbers.

Everything else is equal to TRL, see the other files here. Nothing in this file is a verdict on TRL: some of
these are choices, and where they are, the choice that Truing makes is said to be one.
"""

from __future__ import annotations

import importlib
import math
from pathlib import Path

import pytest
import torch

from truing.objectives import (
    bco,
    cdpo,
    dpo,
    hinge,
    kto,
    r_dpo,
    sft,
    simpo,
    wpo,
)
from truing.objectives import modifiers as modify
from truing.objectives.algebra import Batch, Scores
from truing.policies.packing import Tree

from .compare import by_trl, by_truing, collated, labelled_trees, pair_trees, rows_of, score, unpaired_trees
from .conftest import Models
from .helpers import loss_of, one_token, ours, sigmoid, softplus
from .setup import cpo_trainer, dpo_trainer, kto_trainer, random_pairs


class TestLabelSmoothing:
    def test_trl_ignores_it_for_sigmoid(self, models: Models, tmp_path: Path) -> None:
        """DPOTrainer takes `label_smoothing` with sigmoid and does nothing with it; cDPO is gone from it."""
        rows = random_pairs()
        with_it, without = (
            dpo_trainer(tmp_path, models.policy64, models.reference64, rows, label_smoothing=eps)
            for eps in (0.3, 0.0)
        )
        plain = by_trl(without, collated(without)).loss
        assert by_trl(with_it, collated(with_it)).loss == plain
        trees, roles = pair_trees(list(rows_of(without)))
        assert ours(dpo(), models, trees, roles) == pytest.approx(plain, rel=1e-9)
        # cDPO adds eps·beta·d to the loss of a pair, since −ls(−z) = −ls(z) + z.
        scores = score(models.policy64, trees)
        ratio = scores.total(scores.token_logps - score(models.reference64, trees).token_logps)
        gap = float((ratio[roles.chosen] - ratio[roles.rejected]).mean().detach())
        assert ours(cdpo(0.1, 0.3), models, trees, roles) == pytest.approx(plain + 0.3 * 0.1 * gap, rel=1e-9)

    def test_a_smoothed_simpo_label_keeps_its_margin(self, models: Models, tmp_path: Path) -> None:
        """With eps the label is the other one, and then the other answer should win *by gamma*.

        TRL smooths after the margin is subtracted, so that the exchanged pair is given gamma instead.
        On identical answers: TRL (1 − eps)·sp(gamma) + eps·sp(−gamma), Truing sp(gamma).
        """
        rows = [{"prompt": "abc", "chosen": "same", "rejected": "same"}]
        trainer = cpo_trainer(
            tmp_path, models.policy64, rows,
            loss_type="simpo", beta=2.0, simpo_gamma=1.0, cpo_alpha=0.0, label_smoothing=0.2,
        )  # fmt: skip
        trees, roles = labelled_trees(list(rows_of(trainer)))
        assert by_trl(trainer, collated(trainer)).loss == pytest.approx(0.8 * softplus(1) + 0.2 * softplus(-1))
        assert ours(modify.smooth(simpo(2.0, 1.0), 0.2), models, trees, roles) == pytest.approx(softplus(1))


class TestOnPolicyWeights:
    @staticmethod
    def greedy(models: Models, length: int = 6) -> Tree:
        """An answer that the policy itself would write, chosen and rejected alike in their first tokens."""
        ids = [5, 6, 7]
        with torch.no_grad():
            for _ in range(length):
                ids.append(int(models.policy64(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        return Tree(ids[:3], [ids[3:], ids[3:-1]])

    def test_trl_does_not_clamp_the_weight(self, models: Models, tmp_path: Path) -> None:
        """The authors clamp w(y_w)·w(y_l) at 1 (wzhouad/WPO, run_wpo.py), as TRL did once; TRL 1.16 does not.

        A greedy answer has max π ≥ Σ π², so its weight is above 1.
        """
        trainer = dpo_trainer(tmp_path, models.policy64, models.reference64, random_pairs(2), use_weighting=True)
        tree = self.greedy(models)
        row = {"prompt_ids": tree.prompt, "chosen_ids": tree.branches[0], "rejected_ids": tree.branches[1]}
        scores = score(models.policy64, [tree])
        means = scores.total(scores.token_logps - scores.signals["log_collision"]) / scores.lengths
        weight = float(means.sum().exp().detach())
        assert weight > 1.1
        plain = ours(dpo(), models, [tree], Batch.pairs(1))
        assert by_trl(trainer, trainer.data_collator([row])).loss == pytest.approx(weight * plain)
        assert ours(wpo(), models, [tree], Batch.pairs(1)) == pytest.approx(plain)

    def test_hinge_with_weights_cannot_be_trained_in_trl(self, models: Models, tmp_path: Path) -> None:
        """TRL multiplies in place what the gradient of relu needs; the backward pass raises."""
        trainer = dpo_trainer(
            tmp_path, models.policy64, models.reference64, random_pairs(), use_weighting=True, loss_type="hinge"
        )
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            by_trl(trainer, collated(trainer))
        trees, roles = pair_trees(list(rows_of(trainer)))
        own = by_truing(modify.wpo(hinge()), models.policy64, models.reference64, trees, roles)
        assert all(torch.isfinite(gradient).all() for gradient in own.gradient.values())

    def test_a_likelihood_term_with_weights_cannot_be_run_in_trl(self, models: Models, tmp_path: Path) -> None:
        """TRL multiplies the expanded scalar in place, which raises. In Truing the weight is that of comparisons,
        and a regulariser keeps its coefficient."""
        trainer = dpo_trainer(
            tmp_path, models.policy64, models.reference64, random_pairs(), use_weighting=True,
            loss_type=["sigmoid", "sft"],
        )  # fmt: skip
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            by_trl(trainer, collated(trainer))
        trees, roles = pair_trees(list(rows_of(trainer)))
        parts = ours(wpo(), models, trees, roles) + ours(sft(), models, trees, roles)
        assert ours(modify.wpo(dpo() + sft()), models, trees, roles) == pytest.approx(parts)


def test_r_dpo_charges_for_length_where_the_catalogue_rewards_it() -> None:
    """The paper (2403.19159) adds alpha(|y_w| − |y_l|) inside the link; the catalogue subtracts it.

    Maximising E[r − alpha |y|] − beta KL gives r = beta log π/ref + alpha |y| + const, hence the plus. A longer
    chosen answer is then explained by its length, and its pair pushes less. (TRL has no R-DPO.)
    """
    token = torch.full((5 + 3,), -1.0, dtype=torch.float64, requires_grad=True)
    scores = Scores(token, torch.tensor([0] * 5 + [1] * 3), 2, token.detach())
    loss = r_dpo(0.1, 0.05)(scores, Batch.pairs(1)).loss
    catalogue = softplus(0.05 * (5 - 3))
    assert catalogue == pytest.approx(0.7444, abs=1e-4)
    assert float(loss.detach()) == pytest.approx(softplus(-0.05 * (5 - 3))) == pytest.approx(0.6444, abs=1e-4)
    (gradient,) = torch.autograd.grad(loss, token)
    # beta σ(−0.1) = 0.0475 < 0.05, which DPO has at a gap of 0; the catalogue's sign gives beta σ(0.1) = 0.0525.
    assert float(-gradient[0]) == pytest.approx(0.1 / (1 + math.exp(0.1)))


class TestBco:
    def test_trl_has_no_bco_trainer_any_more(self) -> None:
        """Removed before 1.16 (huggingface/trl#7136). Only `bco_pair` remains, without a shift, as compared."""
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("trl.experimental.bco")

    def test_the_shift_is_the_midpoint_of_the_classes(self) -> None:
        """The trainer that TRL had pooled all rewards into one running mean; the paper takes the midpoint.

        Three liked answers with r = 1 and a disliked one with r = −1, beta 1: the midpoint is 0 and all four
        cost sp(−1); the pooled mean is ½, so that liked ones cost sp(−½) and the disliked one sp(−1½).
        """
        scores, batch = one_token([0.0, 0.0, 0.0, -2.0]), Batch.unpaired([True, True, True, False])
        pooled = (3 * softplus(-0.5) + softplus(-1.5)) / 4
        assert pooled == pytest.approx(0.4059, abs=1e-4)
        assert loss_of(bco(1.0), scores, batch) == pytest.approx(softplus(-1)) == pytest.approx(0.3133, abs=1e-4)


class TestKtoBaseline:
    def test_trl_may_pair_a_prompt_with_an_answer_to_itself(self, models: Models, tmp_path: Path) -> None:
        """TRL rotates completions by one within a batch, whatever their prompts. Two answers to one prompt that
        stand together are then "mismatched" with each other, although both were written for this prompt."""
        rows = [
            {"prompt": "p", "completion": "first", "label": True},
            {"prompt": "p", "completion": "second", "label": False},
            {"prompt": "q", "completion": "other", "label": True},
        ]
        trainer = kto_trainer(tmp_path, models.policy64, models.reference64, rows)
        first, second, _ = trainer.train_dataset
        assert second["prompt_ids"] == first["prompt_ids"]
        assert second["KL_completion_ids"] == first["completion_ids"]

    def test_an_odd_last_batch_is_its_own_baseline_in_trl(self, models: Models, tmp_path: Path) -> None:
        """Three rows in batches of two leave one row that TRL rotates onto itself: z0 = max(0, r), so that a liked
        answer with r > 0 costs ½ exactly and its gradient carries nothing about how good it is already."""
        rows = [
            {"prompt": row["prompt"], "completion": row["chosen"], "label": True}
            for row in random_pairs(3, seed=4)
        ]
        # Exchanged, so that the answer is likelier under the policy.
        policy, reference = models.reference64, models.policy64
        trainer = kto_trainer(tmp_path, policy, reference, rows, per_device_train_batch_size=2)
        last = trainer.train_dataset[2]
        assert last["KL_completion_ids"] == last["completion_ids"]
        tree = Tree(last["prompt_ids"], [last["completion_ids"]])
        ratio = score(policy, [tree]).token_logps.sum() - score(reference, [tree]).token_logps.sum()
        assert float(ratio.detach()) > 1
        assert by_trl(trainer, trainer.data_collator([last])).loss == pytest.approx(0.5)
        # With another row's completion as the baseline the loss depends on the answer.
        other = Tree(last["prompt_ids"], [trainer.train_dataset[0]["completion_ids"]])
        own = by_truing(kto(), policy, reference, [tree], Batch.unpaired([True]), mismatched=[other])
        assert abs(own.loss - 0.5) > 1e-3

    def test_the_baseline_is_that_of_the_global_batch(self) -> None:
        """TRL clamps and subtracts a baseline per micro-batch; Truing has one for the global batch, whatever the
        micro-batches. With z0 of +2 and −2 in two halves, TRL uses 2 and 0, Truing 0."""
        halves = [max(0.0, 2.0), max(0.0, -2.0)]
        per_half = sum(sigmoid(0.1 * (z - 1.0)) for z in halves) / 2
        scores, batch = one_token([0.0, 0.0]), Batch.unpaired([True, True])
        auxiliary = one_token([1.0, -3.0])
        objective = kto(0.1)
        state = objective.update(objective.init(), scores, batch, auxiliary)
        own = float(objective(scores, batch, state).loss)
        assert own == pytest.approx(sigmoid(-0.1)) == pytest.approx(0.4750, abs=1e-4)
        assert per_half == pytest.approx(0.5 * (0.5250 + 0.4750), abs=1e-4)


def test_trl_only_warns_of_a_flip_rate_without_information(models: Models, tmp_path: Path) -> None:
    """At 0.5 the de-biased loss divides by zero. TRL logs a warning and goes on; Truing refuses the value."""
    trainer = dpo_trainer(
        tmp_path, models.policy64, models.reference64, random_pairs(), loss_type="robust", label_smoothing=0.5
    )
    assert not math.isfinite(by_trl(trainer, collated(trainer)).loss)
    with pytest.raises(Exception, match=r"flip_rate = 0\.5 cannot be used"):
        dpo().robust(0.5)


def test_unpaired_batches_average_over_both_classes(models: Models, tmp_path: Path) -> None:
    """The catalogue's KTO is a mean over records, as in TRL: with 3 liked of 4 the liked side weighs ¾."""
    rows = [
        {"prompt": r["prompt"], "completion": r["chosen"], "label": i != 0} for i, r in enumerate(random_pairs(4))
    ]
    trainer = kto_trainer(tmp_path, models.reference64, models.reference64, rows, desirable_weight=2.0)
    assert by_trl(trainer, collated(trainer)).loss == pytest.approx((3 * 2.0 + 1.0) * 0.5 / 4)
    trees, roles = unpaired_trees(list(rows_of(trainer)))
    own = by_truing(kto(desirable=2.0), models.reference64, models.reference64, trees, roles, trees)
    assert own.loss == pytest.approx((3 * 2.0 + 1.0) * 0.5 / 4)
