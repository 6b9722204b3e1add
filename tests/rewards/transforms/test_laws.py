"""Laws of transforms, for all of them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.rewards.algebra import Context, Origin, ReferenceStats, Rewards
from truing.rewards.lookup import piece, pieces

SETTINGS = {"clip": {"low": -1.0, "high": 1.0}, "power": {"exponent": 3.0}}
NAMES = ("a", "b")
PROMPTS = ("first", "second", "third")
TRANSFORMS = [entry.name for entry in pieces("reward transform")]
WITHIN_THE_BATCH = {"rank", "batch-z-score"}
POINTWISE = [name for name in TRANSFORMS if name not in WITHIN_THE_BATCH]
seeds = st.integers(0, 10_000)


def make(name: str):
    return piece(name, "reward transform", "here").configure(SETTINGS.get(name, {}))


def world(seed: int, answers: int = 4) -> tuple[Rewards, Context]:
    """Answers to three prompts, of which some scores are missing."""
    draw = torch.Generator().manual_seed(seed)
    samples = torch.randn(3, 16, 2, generator=draw, dtype=torch.float64)
    values = torch.randn(3 * answers, 2, generator=draw, dtype=torch.float64)
    valid = torch.rand(3 * answers, 2, generator=draw) > 0.2
    stats = ReferenceStats.of(samples, NAMES, PROMPTS, Origin("p", "s"))
    context = Context.of([prompt for prompt in PROMPTS for _ in range(answers)], stats)
    return Rewards.of(values, NAMES, valid), context


@pytest.mark.parametrize("name", TRANSFORMS)
@given(seed=seeds)
def test_never_reverses_the_order_within_a_prompt(name: str, seed: int) -> None:
    rewards, context = world(seed)
    found = make(name)(rewards, context).values
    for start in range(0, 12, 4):
        for k in range(2):
            before, after = rewards.values[start : start + 4, k], found[start : start + 4, k]
            rises = before[:, None] > before[None]
            assert (after[:, None] >= after[None])[rises].all()


@pytest.mark.parametrize("name", TRANSFORMS)
@given(seed=seeds)
def test_what_is_masked_stays_masked_and_does_not_matter(name: str, seed: int) -> None:
    rewards, context = world(seed)
    found = make(name)(rewards, context)
    assert torch.equal(found.valid, rewards.valid)
    assert found.values[rewards.valid].isfinite().all()
    other = Rewards.of(rewards.values.nan_to_num(5.0), NAMES, rewards.valid)
    assert torch.equal(make(name)(other, context).values.nan_to_num(-9), found.values.nan_to_num(-9))


@pytest.mark.parametrize("name", TRANSFORMS)
@given(seed=seeds)
def test_order_of_answers_and_objectives_does_not_matter(name: str, seed: int) -> None:
    rewards, context = world(seed)
    found = make(name)(rewards, context).values
    order = torch.randperm(12, generator=torch.Generator().manual_seed(seed))
    keys = tuple(context.keys[int(row)] for row in order)
    shuffled = make(name)(rewards.rows(order), Context(keys, context.reference)).values
    # A sum over the batch is taken in another order, so its last bit may differ.
    torch.testing.assert_close(shuffled, found[order], rtol=0, atol=1e-12, equal_nan=True)
    swapped = make(name)(rewards.only(["b", "a"]), context).values
    torch.testing.assert_close(swapped, found[:, [1, 0]], rtol=0, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", POINTWISE)
@given(seed=seeds)
def test_one_answer_at_a_time_gives_the_same(name: str, seed: int) -> None:
    rewards, context = world(seed)
    whole = make(name)(rewards, context).values
    for row in (0, 5, 11):
        alone = make(name)(rewards.rows([row]), Context((context.keys[row],), context.reference)).values
        assert torch.allclose(alone[0], whole[row], equal_nan=True, atol=1e-12)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_says_truly_what_it_needs(name: str) -> None:
    rewards, context = world(0)
    transform = make(name)
    assert transform.pointwise == (name not in WITHIN_THE_BATCH)
    if transform.needs_reference:
        with pytest.raises(Exception, match="samples of a reference policy, and there are none"):
            transform(rewards, context.under(None))
    else:
        transform(rewards, context.under(None))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_float32_is_close_to_float64(name: str) -> None:
    rewards, context = world(1)
    low = Rewards.of(rewards.values.float(), NAMES, rewards.valid)
    stats = ReferenceStats(context.reference.samples.float(), NAMES, context.reference.keys, Origin("p", "s"))
    found = make(name)(low, context.under(stats)).values
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), make(name)(rewards, context).values, atol=1e-5, equal_nan=True)


@given(seed=seeds, name=st.sampled_from(["power", "clip-free-cube", "shift"]))
def test_calibrate_after_a_monotone_map_is_calibrate(seed: int, name: str) -> None:
    """The reference goes through the same map."""
    rewards, context = world(seed)
    maps = {
        "power": make("power"),
        "clip-free-cube": lambda r, c: r.with_values(r.values**3 + r.values),
        "shift": lambda r, c: r.with_values(r.values + 7),
    }
    change = maps[name]
    own = make("calibrate")(rewards, context).values
    stats = context.reference.through(change)
    assert torch.equal(
        make("calibrate")(change(rewards, context), context.under(stats)).values.nan_to_num(-1), own.nan_to_num(-1)
    )


@given(seed=seeds, shift=st.floats(-50, 50))
@pytest.mark.parametrize("name", ["lsc-transform", "centre", "z-score", "calibrate", "infalign-best-of-n"])
def test_a_joint_shift_changes_nothing(name: str, seed: int, shift: float) -> None:
    rewards, context = world(seed)
    moved = context.reference.through(lambda r, c: r.with_values(r.values + shift))
    found = make(name)(rewards.with_values(rewards.values + shift), context.under(moved)).values
    assert torch.allclose(found, make(name)(rewards, context).values, atol=1e-9, equal_nan=True)
