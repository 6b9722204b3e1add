"""Scorers, transforms and a combiner together."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError, RecipeError
from truing.rewards.algebra import Context, Origin, ReferenceStats, Rewards
from truing.rewards.lookup import piece
from truing.rewards.pipeline import Pipeline

SAMPLES = torch.tensor([[[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]], dtype=torch.float64)
STATS = ReferenceStats.of(SAMPLES, ("length", "spaces"), ["p"], Origin("p", "s"))


@dataclass(frozen=True)
class Counting:
    """Characters and spaces; spaces are not counted in answers that end in a question mark."""

    names: tuple[str, ...] = ("length", "spaces")

    def __call__(self, prompts: Sequence[str], completions: Sequence[str]) -> Rewards:
        table = torch.tensor([[len(text), text.count(" ")] for text in completions], dtype=torch.float64)
        known = torch.tensor([[True, not text.endswith("?")] for text in completions])
        return Rewards.of(table, self.names, known)


def transform(name: str, **settings):
    return piece(name, "reward transform", "here").configure(settings)


def combiner(name: str, **settings):
    return piece(name, "reward combiner", "here").configure(settings)


def weighter(**weights: float):
    return piece("constant", "reward weighter", "here").configure({"weights": weights})


def pipeline(*transforms, combine="mean", **rest) -> Pipeline:
    return Pipeline((Counting(),), transforms, combiner(combine), **rest)


def test_by_hand() -> None:
    """Lengths 3 and 1, spaces 1 and 0; centred at 1.5 and 3: (1.5, −2), (−0.5, −3); means −0.25, −1.75."""
    found = pipeline(transform("centre")).with_reference(STATS).judge(["p", "p"], ["a b", "c"])
    assert found.reward.tolist() == [-0.25, -1.75]
    assert found.raw.values.tolist() == [[3.0, 1.0], [1.0, 0.0]]
    assert found.transformed.values.tolist() == [[1.5, -2.0], [-0.5, -3.0]]
    assert found.weights is None


def test_an_answer_with_a_missing_objective_has_no_reward() -> None:
    found = pipeline().judge(["p", "p"], ["a b", "c d?"])
    assert found.valid.tolist() == [True, False]
    assert pipeline(missing="present").judge(["p", "p"], ["a b", "c d?"]).reward.tolist() == [2.0, 4.0]


def test_a_missing_objective_without_weight_does_not_matter() -> None:
    """Length alone counts."""
    made = pipeline(combine="weighted-sum", weighter=weighter(length=2.0, spaces=0.0))
    found = made.judge(["p"], ["c d?"])
    assert found.reward.tolist() == [4.0]
    assert found.weights is not None
    assert found.weights.tolist() == [[1.0, 0.0]]


def test_later_transforms_compare_with_transformed_samples() -> None:
    """A z-score leaves the order, so that what comes out of calibrate does not depend on it."""
    raw = Rewards.of(torch.tensor([[1.5, 2.0], [9.0, -1.0]], dtype=torch.float64), ("length", "spaces"))
    context = Context.of(["p", "p"])
    plain = pipeline(transform("calibrate")).with_reference(STATS).combine(raw, context)
    after = pipeline(transform("z-score"), transform("power", exponent=3.0), transform("calibrate"))
    assert torch.equal(after.with_reference(STATS).combine(raw, context).reward, plain.reward)
    assert plain.transformed.values.tolist() == [[0.5, 0.375], [1.0, 0.0]]


@given(st.integers(0, 1000))
def test_lsc_and_sum_is_centring_and_conjunction(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    raw = Rewards.of(3 * torch.randn(5, 2, generator=draw, dtype=torch.float64), ("length", "spaces"))
    context = Context.of(["p"] * 5)
    first = pipeline(transform("lsc"), combine="sum").with_reference(STATS).combine(raw, context)
    second = (
        pipeline(transform("centre", quantile=0.85), combine="and").with_reference(STATS).combine(raw, context)
    )
    assert torch.allclose(first.reward, second.reward, atol=1e-12)


def test_does_not_depend_on_the_batch() -> None:
    made = pipeline(transform("lsc"), transform("clip", low=-3.0)).with_reference(STATS)
    texts = ["a", "b c", "d e f?", ""]
    together = made.judge(["p"] * 4, texts).reward
    alone = torch.cat([made.judge(["p"], [text]).reward for text in texts])
    assert torch.equal(together.nan_to_num(-99), alone.nan_to_num(-99))


def test_one_objective_needs_no_combiner() -> None:
    @dataclass(frozen=True)
    class Length:
        names: tuple[str, ...] = ("length",)

        def __call__(self, prompts, completions):
            return Rewards.of(torch.tensor([float(len(text)) for text in completions]), self.names)

    assert Pipeline((Length(),)).judge(["p"], ["abc"]).reward.tolist() == [3.0]


def test_says_whether_it_needs_a_reference() -> None:
    assert pipeline(transform("clip", low=0.0), transform("lsc")).needs_reference
    assert not pipeline(transform("clip", low=0.0)).needs_reference


def test_a_missing_reference() -> None:
    with pytest.raises(DataError, match="build ReferenceStats from samples of the model before training"):
        pipeline(transform("lsc")).judge(["p"], ["a"])


def test_a_prompt_that_the_reference_does_not_know() -> None:
    with pytest.raises(DataError, match="not sampled on this prompt"):
        pipeline(transform("lsc")).with_reference(STATS).judge(["p", "q"], ["a", "b"])


def test_pieces_that_do_not_fit() -> None:
    with pytest.raises(RecipeError, match=r"(?s)2 objectives and nothing that makes one reward.*combine: mean"):
        Pipeline((Counting(),))
    with pytest.raises(RecipeError, match="weights have no effect"):
        pipeline(weighter=weighter(length=1.0, spaces=1.0))
    with pytest.raises(RecipeError, match="fewer known objectives could not be compared"):
        pipeline(combine="sum", missing="present")
    with pytest.raises(RecipeError, match=r"(?s)depends on the batch.*put rank last"):
        pipeline(transform("rank"), transform("lsc"))
    assert pipeline(transform("lsc"), transform("rank")).needs_reference
