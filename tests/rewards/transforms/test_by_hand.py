"""Each transform on numbers worked out by hand."""

import math

import pytest
import torch

from truing.errors import DataError, ObjectiveError
from truing.rewards.algebra import Context, Origin, ReferenceStats, Rewards
from truing.rewards.lookup import piece
from truing.rewards.transforms.on import On

# 0, 1, 2, 3, 4 for the first prompt (mean 2, variance 2.5), all 7 for the second.
SAMPLES = torch.tensor([[0.0, 1, 2, 3, 4], [7, 7, 7, 7, 7]], dtype=torch.float64)[..., None]
STATS = ReferenceStats.of(SAMPLES, ("a",), ["p", "q"], Origin("p", "s"))


def apply(name: str, values: list[float], prompts: str = "p", **settings) -> list[float]:
    transform = piece(name, "reward transform", "here").configure(settings)
    context = Context.of([prompts] * len(values) if len(prompts) == 1 else list(prompts), STATS)
    return transform(Rewards.of(torch.tensor(values, dtype=torch.float64), ("a",)), context).values[:, 0].tolist()


def test_identity() -> None:
    assert apply("identity", [1.0, -2.0]) == [1.0, -2.0]


def test_centre() -> None:
    assert apply("centre", [2.5, 7.0], "pq") == [0.5, 0.0]
    assert apply("centre", [2.5], quantile=0.75) == [-0.5]


def test_z_score_of_the_prompt() -> None:
    """Mean 2, standard deviation √2.5."""
    assert apply("z-score", [4.0, 2.0], over="prompt") == pytest.approx([2 / math.sqrt(2.5), 0.0])


def test_z_score_of_a_prompt_without_spread_is_unknown() -> None:
    assert math.isnan(apply("z-score", [9.0], "q", over="prompt")[0])


def test_z_score_over_all() -> None:
    """Sum 45 of ten: mean 4.5. Squares 30 + 245 = 275; variance (275 − 202.5)/9."""
    assert apply("z-score", [4.5, 7.0], "pq") == pytest.approx([0.0, 2.5 / math.sqrt(72.5 / 9)])


def test_z_score_without_a_scale() -> None:
    alike = ReferenceStats.of(torch.ones(1, 3, 1), ("a",), ["p"], Origin("p", "s"))
    transform = piece("z-score", "reward transform", "here").configure({})
    with pytest.raises(DataError, match="the reference's scores of 'a' do not differ"):
        transform(Rewards.of(torch.ones(1), ("a",)), Context.of(["p"], alike))


def test_lsc() -> None:
    """The 0.85 quantile of 0..4 lies at place 3.4. At it log σ(0) = −log 2; a thousand below, −1000."""
    found = apply("lsc", [3.4, -996.6, 103.4])
    assert found == pytest.approx([-math.log(2), -1000.0, 0.0])
    assert apply("lsc", [3.0], quantile=0.5) == pytest.approx([-math.log1p(math.exp(-1))])


def test_calibrate() -> None:
    """2 beats two of five and ties one; 7 ties with all of the second prompt."""
    assert apply("calibrate", [2.0, 2.5, -1.0, 9.0]) == [0.5, 0.6, 0.0, 1.0]
    assert apply("calibrate", [7.0], "q") == [0.5]


def test_best_of_n() -> None:
    assert apply("infalign", [9.0, 2.0, -1.0]) == pytest.approx([1.0, math.exp(-5), math.exp(-10)])
    assert apply("infalign-best-of-n", [2.0], t=2.0) == pytest.approx([math.exp(-1)])


def test_worst_of_n() -> None:
    assert apply("infalign-worst-of-n", [9.0, 2.0, -1.0]) == pytest.approx([-math.exp(-10), -math.exp(-5), -1.0])


def test_clip() -> None:
    assert apply("clip", [-5.0, 0.5, 5.0], low=-1.0, high=1.0) == [-1.0, 0.5, 1.0]
    assert apply("clip", [-5.0, 5.0], low=0.0) == [0.0, 5.0]


def test_power() -> None:
    assert apply("power", [-2.0, 3.0]) == [-4.0, 9.0]
    assert apply("power", [-4.0, 9.0], exponent=0.5) == [-2.0, 3.0]


def test_rank() -> None:
    """Of 1, 3, 3, 5 the ranks are 1, 2.5, 2.5, 4; alone is one half."""
    assert apply("rank", [3.0, 1.0, 5.0, 3.0]) == [0.5, 0.0, 1.0, 0.5]
    assert apply("rank", [8.0, 1.0, 2.0], "qpp") == [0.5, 0.0, 1.0]


def test_rank_leaves_out_what_is_missing() -> None:
    rewards = Rewards.of(torch.tensor([1.0, 0.0, 2.0]), ("a",), torch.tensor([True, False, True]))
    found = piece("rank", "reward transform", "here").configure({})(rewards, Context.of(["p"] * 3))
    assert found.values[:, 0].nan_to_num(-1).tolist() == [0.0, -1.0, 1.0]


def test_on_some_objectives() -> None:
    rewards = Rewards.of(torch.tensor([[4.0, 4.0]]), ("a", "b"))
    transform = On(piece("power", "reward transform", "here").configure({"exponent": 0.5}), ("b",))
    assert transform(rewards, Context.of(["p"])).values.tolist() == [[4.0, 2.0]]
    assert (transform.pointwise, transform.needs_reference) == (True, False)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("clip", {}, "clip without a bound changes nothing"),
        ("clip", {"low": 1.0, "high": 1.0}, "leaves no room"),
        ("power", {"exponent": 0.0}, "below 0 the order is reversed"),
        ("lsc-transform", {"quantile": 1.5}, "0 <= quantile <= 1"),
        ("infalign-best-of-n", {"t": -1.0}, "t > 0"),
        ("z-score", {"over": "batch"}, "all or prompt"),
        ("lsc-transform", {"quantil": 0.5}, "did you mean 'quantile'"),
    ],
)
def test_settings_that_cannot_be_used(name, settings, message) -> None:
    with pytest.raises(ObjectiveError, match=message):
        piece(name, "reward transform", "here").configure(settings)
