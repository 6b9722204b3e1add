"""Prompt-aware weights."""

from pathlib import Path

import pytest
import torch

from truing.errors import DataError, ModelError
from truing.rewards.algebra import Context, Rewards
from truing.rewards.weighters.adapter import Adapter
from truing.rewards.weighters.orchestrator import preference_orchestrator
from truing.worlds.prompt_types import prompt_types

NAMES = ("a", "b")
WORLD = prompt_types(0, [1.0, 0.0], [0.0, 1.0], prompts=200)
PREFERRED = Rewards.of(WORLD.chosen(WORLD.wishes), NAMES)


def context(rows: int = 200) -> Context:
    return Context.of(["p"] * rows, embeddings=WORLD.embeddings[:rows])


def test_targets_by_hand() -> None:
    """Columns (0, 2) and (1, 1.2): means 1 and 1.1, deviations 1 and 0.1, so z = (∓1, ∓1): equal weights."""
    rewards = Rewards.of(torch.tensor([[0.0, 1.0], [2.0, 1.2]], dtype=torch.float64), NAMES)
    assert preference_orchestrator().targets(rewards)[0].tolist() == pytest.approx([0.5, 0.5])
    # Columns (0, 2) and (1.2, 1): z = (∓1, ±1). With tau 2: σ(−1) and σ(1).
    rewards = Rewards.of(torch.tensor([[0.0, 1.2], [2.0, 1.0]], dtype=torch.float64), NAMES)
    assert preference_orchestrator(tau=2.0).targets(rewards)[0].tolist() == pytest.approx(
        [0.2689, 0.7311], abs=1e-4
    )


def test_targets_on_the_scale_of_all_answers() -> None:
    """Among (0, 0) and (2, 2) the preferred (2, 0) has z = (1, −1)."""
    preferred = Rewards.of(torch.tensor([[2.0, 0.0]]), NAMES)
    among = Rewards.of(torch.tensor([[0.0, 0.0], [2.0, 2.0]]), NAMES)
    found = preference_orchestrator(tau=1.0).targets(preferred, among)
    assert found[0].tolist() == pytest.approx([0.8808, 0.1192], abs=1e-4)


def test_learns_what_counts_for_whom() -> None:
    weights = preference_orchestrator().fit(WORLD.embeddings, PREFERRED)(NAMES, context())
    assert torch.allclose(weights.sum(1), torch.ones(200, dtype=torch.float64))
    assert float(weights[WORLD.kind == 0, 0].mean()) > 0.6
    assert float(weights[WORLD.kind == 1, 0].mean()) < 0.4


def test_mean_weight_is_the_mean_target() -> None:
    """The bias of the last layer is free, so that at the optimum gradients by it vanish."""
    made = preference_orchestrator().fit(WORLD.embeddings, PREFERRED)
    found = made(NAMES, context()).mean(0)
    assert torch.allclose(found, made.targets(PREFERRED).mean(0), atol=1e-3)


def test_of_one_objective_it_is_one() -> None:
    one = PREFERRED.only(["a"])
    weights = preference_orchestrator().fit(WORLD.embeddings, one)(("a",), context())
    assert weights.tolist() == [[1.0]] * 200


def test_the_same_seed_gives_the_same_adapter() -> None:
    first, second = (preference_orchestrator(seed=3).fit(WORLD.embeddings, PREFERRED) for _ in range(2))
    assert torch.equal(first(NAMES, context()), second(NAMES, context()))


def test_order_of_objectives_follows_the_caller() -> None:
    made = preference_orchestrator().fit(WORLD.embeddings, PREFERRED)
    assert torch.equal(made(("b", "a"), context()), made(NAMES, context())[:, [1, 0]])


def test_written_and_read(tmp_path: Path) -> None:
    made = preference_orchestrator().fit(WORLD.embeddings, PREFERRED)
    made.adapter.save(tmp_path / "adapter.safetensors")
    again = preference_orchestrator.configure({"adapter": str(tmp_path / "adapter.safetensors")})
    assert torch.equal(again(NAMES, context()), made(NAMES, context()))


def test_no_adapter_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    for name in ("text", "absent"):
        with pytest.raises(ModelError, match="holds no adapter"):
            Adapter.load(tmp_path / name)


def test_not_fitted() -> None:
    with pytest.raises(ModelError, match="has not been fitted"):
        preference_orchestrator()(NAMES, context())


def test_other_objectives_or_embeddings_than_fitted() -> None:
    made = preference_orchestrator().fit(WORLD.embeddings, PREFERRED)
    with pytest.raises(ModelError, match=r"fitted for the objectives \['a', 'b'\], not \['a', 'c'\]"):
        made(("a", "c"), context())
    with pytest.raises(DataError, match="reads embeddings of the prompts, and there are none"):
        made(NAMES, Context.of(["p"]))
    with pytest.raises(DataError, match="the embeddings have 2 numbers, the adapter reads 6"):
        made(NAMES, Context.of(["p"], embeddings=torch.zeros(1, 2)))


def test_rewards_that_teach_nothing() -> None:
    with pytest.raises(DataError, match="the rewards of 'b' do not differ"):
        preference_orchestrator().targets(Rewards.of(torch.tensor([[1.0, 3.0], [2.0, 3.0]]), NAMES))
    holes = Rewards.of(torch.rand(2, 2), NAMES, torch.tensor([[True, True], [True, False]]))
    with pytest.raises(DataError, match="the preferred answer 1 was not scored by 'b'"):
        preference_orchestrator().targets(holes)
    with pytest.raises(DataError, match="10 embeddings for 200 preferred answers"):
        preference_orchestrator().fit(WORLD.embeddings[:10], PREFERRED)
