"""Statistics of a reference policy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError
from truing.rewards.algebra import Context, Origin, ReferenceStats, Rewards, prompt_key

ORIGIN = Origin("weights", "scorer", {"count": 4, "temperature": 1.0})
# Two prompts, four samples, two objectives; one score is missing.
SCORES = torch.tensor(
    [
        [[4.0, 0.0], [1.0, 0.0], [3.0, 10.0], [2.0, torch.nan]],
        [[0.0, 1.0], [0.0, 2.0], [8.0, 3.0], [8.0, 4.0]],
    ],
    dtype=torch.float64,
)
KEYS = [prompt_key("first"), prompt_key("second")]


def stats() -> ReferenceStats:
    return ReferenceStats.of(SCORES, ("a", "b"), ["first", "second"], ORIGIN)


def test_quantiles_by_hand() -> None:
    """1, 2, 3, 4: the 0.85 quantile lies at place 2.55, hence 3.55. 0, 0, 10: at place 1.7, hence 7."""
    assert stats().quantile(0.85, KEYS)[0].tolist() == pytest.approx([3.55, 7.0])
    assert stats().quantile(0.0, KEYS)[1].tolist() == [0.0, 1.0]
    assert stats().quantile(1.0, KEYS)[0].tolist() == [4.0, 10.0]


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(samples: list[float], level: float) -> None:
    table = torch.tensor(samples, dtype=torch.float64)[None, :, None]
    found = ReferenceStats.of(table, ("a",), ["p"], ORIGIN).quantile(level, [prompt_key("p")])
    assert float(found) == pytest.approx(float(np.quantile(samples, level)), abs=1e-9)


def test_mean_and_spread_by_hand() -> None:
    """1..4: mean 2.5, variance 5/3. 0, 0, 10: mean 10/3, variance 100/3."""
    assert stats().mean(KEYS)[0].tolist() == pytest.approx([2.5, 10 / 3])
    assert stats().std(KEYS)[0].tolist() == pytest.approx([(5 / 3) ** 0.5, (100 / 3) ** 0.5])
    mean, std = stats().overall()
    assert mean.tolist() == pytest.approx([26 / 8, 20 / 7])
    assert std.tolist() == pytest.approx(
        [np.std([4, 1, 3, 2, 0, 0, 8, 8], ddof=1), np.std([0, 0, 10, 1, 2, 3, 4], ddof=1)]
    )


def test_a_single_sample_has_no_spread() -> None:
    one = ReferenceStats.of(SCORES[:, :1], ("a", "b"), ["first", "second"], ORIGIN)
    assert one.std(KEYS).isnan().all()
    assert one.quantile(0.3, KEYS).tolist() == SCORES[:, 0].tolist()


def test_distribution_by_hand() -> None:
    """Of 0, 0, 8, 8: below 0 none, and half of two of four at it; 5 beats two of four."""
    values = torch.tensor([[0.0, 2.5], [5.0, 9.0], [8.0, 0.0]], dtype=torch.float64)
    found = stats().cdf(values, [KEYS[1]] * 3)
    assert found.tolist() == [[0.25, 0.5], [0.5, 1.0], [0.75, 0.0]]


def test_a_missing_sample_counts_neither_way() -> None:
    found = stats().cdf(torch.tensor([[2.5, 5.0]], dtype=torch.float64), [KEYS[0]])
    assert found.tolist() == [[0.5, pytest.approx(2 / 3)]]


def test_unknown_values_stay_unknown() -> None:
    found = stats().cdf(torch.tensor([[torch.nan, 5.0]], dtype=torch.float64), [KEYS[0]])
    assert found.isnan().tolist() == [[True, False]]


def test_many_rows_are_counted_in_parts_alike() -> None:
    values = torch.randn(9000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    keys = [KEYS[row % 2] for row in range(9000)]
    whole = stats().cdf(values, keys)
    assert torch.equal(whole[8000:], stats().cdf(values[8000:], keys[8000:]))


def test_order_of_samples_does_not_matter() -> None:
    other = ReferenceStats.of(SCORES[:, [2, 0, 3, 1]], ("a", "b"), ["first", "second"], ORIGIN)
    assert torch.equal(other.samples.nan_to_num(-1), stats().samples.nan_to_num(-1))


def test_statistics_after_a_transform() -> None:
    """The quantile of what a transform makes of the samples, not of the samples."""

    def negated(rewards: Rewards, context: Context) -> Rewards:
        return rewards.with_values(-rewards.values)

    found = stats().through(negated)
    assert found.quantile(1.0, KEYS).tolist() == [[-1.0, 0.0], [0.0, -1.0]]
    assert found.counts.tolist() == [[4, 3], [4, 4]]


def test_a_prompt_that_was_not_sampled() -> None:
    with pytest.raises(DataError, match=r"(?s)not sampled on this prompt.*answer 1 of 2; 2 prompts are known"):
        stats().mean([KEYS[0], prompt_key("third")])


def test_an_objective_without_scores() -> None:
    with pytest.raises(DataError, match="no scores of the objective 'c'"):
        stats().only(["a", "c"])


@pytest.mark.parametrize(
    ("scores", "prompts", "message"),
    [
        (SCORES[0], ["first", "second"], "do not fit 2 prompts"),
        (SCORES[:, :0], ["first", "second"], "at least one sample"),
        (SCORES, ["first", "first"], "(?s)same prompt is there twice.*prompt 1"),
        (SCORES.nan_to_num(torch.inf), ["first", "second"], "prompt 0, sample 3, objective 'b'"),
    ],
)
def test_what_cannot_be_used(scores, prompts, message) -> None:
    with pytest.raises(DataError, match=message):
        ReferenceStats.of(scores, ("a", "b"), prompts, ORIGIN)


def test_needed_but_not_there() -> None:
    with pytest.raises(DataError, match="lsc compares with samples of a reference policy"):
        Context.of(["p"]).statistics("lsc")


def test_keys_tell_messages_apart() -> None:
    chat = [{"role": "user", "content": "first"}]
    assert len({prompt_key("first"), prompt_key(chat), prompt_key([*chat, *chat])}) == 3
    assert prompt_key(chat) == prompt_key([dict(chat[0])])
