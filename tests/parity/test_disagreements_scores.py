"""More places where TRL 1.16, the papers and the catalogue disagree: lengths, divergences, sorting, reports.

Everything else is equal to TRL, see the other files here. Nothing in this file is a verdict on TRL: some of
these are choices, and where they are, the choice that Truing makes is said to be one.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from truing.objectives import (
    aot,
    cpo,
    discopop,
    dpo,
    f_dpo,
    ipo,
    nll,
    orpo,
    simpo,
    sppo_hard,
)
from truing.objectives.algebra import Batch, Objective, Scores, log_ratio
from truing.objectives.algebra.sequence_scores import Divergence

from .compare import by_trl, by_truing, collated, labelled_trees, pair_trees, rows_of, score
from .conftest import Models
from .helpers import loss_of, one_token, ours, softplus
from .setup import Row, cpo_trainer, dpo_trainer, model, orpo_trainer, random_pairs


class TestLikelihoodTerm:
    def test_trl_averages_tokens_over_the_batch(self, models: Models, tmp_path: Path) -> None:
        """CPO's likelihood: the paper sums the tokens of an answer, TRL (as the authors' code) averages over all
        tokens of the batch, so that long answers count more; Truing averages each answer, then answers."""
        rows = [
            {"prompt": "ab", "chosen": "a", "rejected": "bbb"},
            {"prompt": "cd", "chosen": "aaaabbbbccccdddd", "rejected": "cc"},
        ]
        trainer = cpo_trainer(tmp_path, models.policy64, rows)
        trees, roles = labelled_trees(list(rows_of(trainer)))
        comparison = ours(cpo(alpha=0.0), models, trees, roles)
        by_trl_ = by_trl(trainer, collated(trainer)).loss - comparison
        scores = score(models.policy64, trees)
        total, lengths = scores.total(scores.token_logps)[0::2].detach(), scores.lengths[0::2]
        assert lengths.tolist() == [2.0, 17.0]
        assert by_trl_ == pytest.approx(float(-total.sum() / lengths.sum()))
        assert ours(cpo(), models, trees, roles) - comparison == pytest.approx(float(-(total / lengths).mean()))
        assert ours(nll("sum"), models, trees, roles) == pytest.approx(float(-total.mean()))
        assert abs(by_trl_ - float(-(total / lengths).mean())) > 0.01

    def test_there_is_no_difference_for_equal_lengths(self, models: Models, tmp_path: Path) -> None:
        rows = [{**row, "chosen": row["chosen"][:1] * 7} for row in random_pairs()]
        trainer = cpo_trainer(tmp_path, models.policy64, rows)
        trees, roles = labelled_trees(list(rows_of(trainer)))
        assert by_trl(trainer, collated(trainer)).loss == pytest.approx(
            ours(cpo(), models, trees, roles), rel=1e-7
        )

    def test_orpo_learns_the_prompt_in_trl(self, models: Models, tmp_path: Path) -> None:
        """TRL's likelihood runs over prompt and answer, as the authors' code does unless told otherwise
        (`--disable_prompt_loss`); the paper's L_SFT is that of the answer, and so is Truing's."""
        rows = [{**row, "chosen": row["chosen"][:1] * 7} for row in random_pairs()]
        trainer = orpo_trainer(tmp_path, models.policy64, rows)
        trees, roles = labelled_trees(list(rows_of(trainer)))
        assert abs(by_trl(trainer, collated(trainer)).loss - ours(orpo(), models, trees, roles)) > 0.01
        # Where the prompt is nothing but a beginning-of-sequence token, they agree.
        empty = orpo_trainer(tmp_path, models.policy64, [{**row, "prompt": ""} for row in rows])
        trees, roles = labelled_trees(list(rows_of(empty)))
        assert {len(tree.prompt) for tree in trees} == {1}
        assert by_trl(empty, collated(empty)).loss == pytest.approx(ours(orpo(), models, trees, roles), rel=1e-6)


def test_gamma_of_simpo_is_outside_beta(models: Models, tmp_path: Path) -> None:
    """Paper, catalogue, TRL and Truing agree: −ls(beta·gap − gamma). Codes that store gamma/beta mean
    −ls(beta·(gap − gamma)) by the same number. Their defaults differ: TRL has beta 0.1 and gamma 0.5, whose ratio
    of 5 is ten times the paper's."""
    rows = [{"prompt": "abc", "chosen": "same", "rejected": "same"}]
    trainer = cpo_trainer(
        tmp_path, models.policy64, rows, loss_type="simpo", beta=2.0, simpo_gamma=1.0, cpo_alpha=0.0
    )
    trees, roles = labelled_trees(list(rows_of(trainer)))
    assert (
        by_trl(trainer, collated(trainer)).loss == pytest.approx(softplus(1.0)) == pytest.approx(1.3133, abs=1e-4)
    )
    assert ours(simpo(2.0, 1.0), models, trees, roles) == pytest.approx(softplus(1.0))
    assert softplus(2.0 * 1.0) == pytest.approx(2.1269, abs=1e-4)
    assert trainer.args.__dataclass_fields__["simpo_gamma"].default == 0.5
    assert trainer.args.__dataclass_fields__["beta"].default == 0.1


def test_ipo_averages_over_tokens(models: Models, tmp_path: Path) -> None:
    """The paper's eq. 17 reads as a sum over tokens; its authors confirmed the mean, which TRL and Truing take."""
    trainer = dpo_trainer(tmp_path, models.policy64, models.reference64, random_pairs(), loss_type="ipo")
    trees, roles = pair_trees(list(rows_of(trainer)))
    mean = by_trl(trainer, collated(trainer)).loss
    assert ours(ipo(), models, trees, roles) == pytest.approx(mean)
    assert abs(ours(ipo(reduction="sum"), models, trees, roles) - mean) > 1.0


class TestDivergences:
    def test_the_order_of_the_alpha_divergence(self) -> None:
        """f-DPO's table 1 has f'(u) = (1 − u^(−a))/a: a → 0 is reverse KL and a = 1 forward KL. TRL 1.16 and the
        catalogue have (u^(a − 1) − 1)/(a − 1), the other way round (TRL's help still says "u^-α", which is what it
        computed before). Truing follows the latter; the two meet at ½. Reward of r = 1 at 0.3:"""
        scores, batch = one_token([0.0, -1.0]), Batch.pairs(1)
        reward = float(Divergence("alpha", 0.3)(scores, batch)[0])
        paper = (1 - math.exp(-0.3)) / 0.3
        assert paper == pytest.approx(0.8639, abs=1e-4)
        assert reward == pytest.approx((1 - math.exp(-0.7)) / 0.7) == pytest.approx(0.7192, abs=1e-4)
        assert float(Divergence("alpha", 0.7)(scores, batch)[0]) == pytest.approx(paper)

    def test_a_mean_divides_the_reward(self) -> None:
        """With IPO and dpo-norm, TRL and Truing take f' of the whole completion's ratio and divide by the length.
        f' of the mean log-ratio is another reward: two tokens of log-ratio 1 give (1 − e^−2)/2 or 1 − e^−1."""
        policy = torch.zeros(3, dtype=torch.float64)
        scores = Scores(policy, torch.tensor([0, 0, 1]), 2, policy - 1)
        value = Divergence("forward-kl", base=log_ratio("mean"))(scores, Batch.pairs(1))[0]
        assert float(value) == pytest.approx((1 - math.exp(-2)) / 2) == pytest.approx(0.4323, abs=1e-4)
        assert 1 - math.exp(-1) == pytest.approx(0.6321, abs=1e-4)

    def test_forward_kl_overflows_in_trl(self, models: Models, tmp_path: Path) -> None:
        """An answer that the policy has all but dropped, e^1000: TRL clamps the alpha-divergence only."""
        assert not math.isfinite(self.trl_at(-1000.0, models, tmp_path, f_divergence_type="forward_kl"))
        assert math.isfinite(self.own_at(-1000.0, f_dpo(divergence="forward-kl")))

    def test_discopop_overflows_in_trl(self, models: Models, tmp_path: Path) -> None:
        """m·e^(−u) with m = 0 and e^(−u) = inf is not a number; its limit is 0, and the loss that of DPO."""
        assert math.isnan(self.trl_at(-1000.0, models, tmp_path, loss_type="discopop"))
        assert self.own_at(-1000.0, discopop(0.1)) == pytest.approx(100.0)

    @staticmethod
    def trl_at(ratio: float, models: Models, folder: Path, **config: str) -> float:
        """TRL's loss, in float32, of a pair whose chosen log-ratio is given and whose rejected one is 0."""
        trainer = dpo_trainer(folder, models.policy, models.reference, random_pairs(1), **config)
        batch = collated(trainer)
        with torch.no_grad():
            logps = trainer.model(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                labels=batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100),
                fused_lm_head=True,
            ).log_probs.sum(1)
        trainer.precompute_ref_logps = True
        batch |= {"ref_chosen_logps": logps[:1] - ratio, "ref_rejected_logps": logps[1:]}
        return float(trainer.compute_loss(trainer.model, batch).detach())

    @staticmethod
    def own_at(ratio: float, objective: Objective) -> float:
        scores = Scores.from_sequences(torch.tensor([ratio - 1, -1.0]), torch.tensor([-1.0, -1.0]))
        return float(objective(scores, Batch.pairs(1)).loss)


def test_sorting_is_over_the_global_batch(models: Models, tmp_path: Path) -> None:
    """TRL sorts within a micro-batch, so that AOT changes with its size. Truing sorts the global batch."""
    # Answers of equal length and another reference, so that it orders the pairs in its own way.
    reference = model(seed=7).double()
    pairs = [
        {**row, "chosen": f"{row['chosen']:.<9.9}", "rejected": f"{row['rejected']:?<9.9}"}
        for row in random_pairs(6)
    ]
    trainer = dpo_trainer(tmp_path, models.policy64, reference, pairs, loss_type="aot")
    rows = list(rows_of(trainer))
    halves = [by_trl(trainer, trainer.data_collator(part)).loss for part in (rows[:3], rows[3:])]
    whole = by_truing(aot(), models.policy64, reference, *pair_trees(rows)).loss
    assert by_trl(trainer, collated(trainer)).loss == pytest.approx(whole)
    assert abs(sum(halves) / 2 - whole) > 0.01


def test_rewards_are_what_the_link_sees(models: Models, tmp_path: Path) -> None:
    """TRL reports beta times the *summed* log-ratio for every loss; Truing reports the score that the loss
    compares, times beta: for IPO a mean over tokens. A tie counts as wrong in TRL and as half right in Truing."""
    trainer = dpo_trainer(tmp_path, models.policy64, models.reference64, random_pairs(1), loss_type="ipo")
    by_trl(trainer, collated(trainer))
    trees, roles = pair_trees(list(rows_of(trainer)))
    with torch.no_grad():
        scores = score(models.policy64, trees)
        scores = Scores(scores.token_logps, scores.sequence, 2, score(models.reference64, trees).token_logps)
    own = float(ipo()(scores, roles).metrics["rewards/chosen"])
    reported = trainer._metrics["eval"]["rewards/chosen"][-1]
    assert reported == pytest.approx(own * float(scores.lengths[0]), rel=1e-6)
    tie = one_token([-1.0, -1.0])
    assert float(dpo()(tie, Batch.pairs(1)).metrics["rewards/accuracy"]) == 0.5


@pytest.mark.parametrize(
    ("config", "value"), [({"loss_type": "sppo_hard"}, 5.0), ({"loss_type": "sppo_hard", "beta": 1e-3}, 500.0)]
)
def test_the_target_of_sppo(config: dict[str, object], value: float, models: Models, tmp_path: Path) -> None:
    """TRL's default beta of 0.1 puts the target at ±5 nats; the paper's 1e-3, Truing's default, at ±500."""
    rows: list[Row] = random_pairs()
    trainer = dpo_trainer(tmp_path, models.reference64, models.reference64, rows, **config)
    assert by_trl(trainer, collated(trainer)).loss == pytest.approx(2 * value**2)
    assert loss_of(sppo_hard(), one_token([-1.0, -1.0]), Batch.pairs(1)) == 2 * 500.0**2
