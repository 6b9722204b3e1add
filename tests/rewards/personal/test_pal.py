"""Ideal points: rewards by hand, one prototype, newcomers, bad input."""

from __future__ import annotations

import pytest
import torch

from truing.errors import DataError, ObjectiveError
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.fitted import PersonalRewards
from truing.rewards.personal.ideal_points import IdealPoints
from truing.rewards.personal.pal import pal
from truing.worlds.tastes import tastes, two_groups

WORLD = tastes(0)
QUICK = {"dim": 8, "epochs": 3, "batch": 64, "learning_rate": 0.05}


def by_hand(variant: str, score: str) -> IdealPoints:
    """f is the identity in two dimensions; prototypes (3, 0) and (0, 4); one user with weights 1/4 and 3/4."""
    points = IdealPoints(2, 1, prototypes=2, dim=2, variant=variant, score=score, hidden=0, dropout=0.0)
    with torch.no_grad():
        points.items.weight.copy_(torch.eye(2))
        points.items.bias.zero_()
        points.users.copy_(torch.log(torch.tensor([[1.0, 3.0]])))
        if variant == "a":
            points.prototypes.points.copy_(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
        else:
            for own, factor in zip(points.prototypes.maps, (1.0, 2.0), strict=True):
                own.weight.copy_(factor * torch.eye(2))
                own.bias.zero_()
    return points


def test_distance_to_the_mixture_by_hand():
    """z = (0.75, 3); the answer (0.75, 1) is 2 away."""
    fitted = PersonalRewards(by_hand("a", "distance"), ("anna",))
    answers = torch.tensor([[0.75, 1.0]])
    assert fitted.rewards(["anna"], torch.zeros(1, 2), answers).tolist() == pytest.approx([-2.0], abs=1e-6)


def test_prototypes_of_the_prompt_by_hand():
    """z = (1/4 + 3/4 · 2) · (1, 0) = (1.75, 0); (2.75, 0) is 1 away. The angle to (0, 5) is a right one."""
    fitted = PersonalRewards(by_hand("b", "distance"), ("anna",))
    prompts = torch.tensor([[1.0, 0.0]])
    assert fitted.rewards(["anna"], prompts, torch.tensor([[2.75, 0.0]])).tolist() == pytest.approx(
        [-1.0], abs=1e-6
    )
    angle = PersonalRewards(by_hand("b", "angle"), ("anna",))
    sides = angle.rewards(["anna"] * 2, prompts.expand(2, 2), torch.tensor([[0.0, 5.0], [2.0, 0.0]]))
    assert sides.tolist() == pytest.approx([0.0, 1 / 0.07], rel=1e-5)


def test_the_scale_of_an_angle_is_at_most_a_hundred():
    points = by_hand("a", "angle")
    with torch.no_grad():
        points.score.log_scale.fill_(50.0)
    fitted = PersonalRewards(points, ("anna",))
    ahead = torch.tensor([[0.75, 3.0]])
    assert fitted.rewards(["anna"], torch.zeros(1, 2), ahead).tolist() == pytest.approx([100.0], rel=1e-5)


def test_an_answer_at_the_ideal_point_has_a_finite_gradient():
    points = by_hand("a", "distance")
    answers = torch.tensor([[0.75, 3.0]], requires_grad=True)
    points(points.weights(), torch.zeros(1, 2), answers).sum().backward()
    assert bool(answers.grad.isfinite().all())


@pytest.mark.parametrize("variant", ["a", "b"])
@pytest.mark.parametrize("score", ["distance", "angle"])
@pytest.mark.parametrize("hidden", [0, 12])
def test_all_that_is_learned_moves(variant, score, hidden):
    settings = pal(variant=variant, score=score, hidden=hidden, prototypes=3, **QUICK)
    pairs = WORLD.pairs(two_groups(4), 30, 0)
    pairs = Comparisons.of(pairs.users, pairs.chosen, pairs.rejected, torch.randn_like(pairs.chosen))
    start = settings.untrained(16, 4).double().state_dict()
    end = settings.fit(pairs).points.state_dict()
    assert all(not torch.equal(start[name], end[name]) for name in start)


def test_one_prototype_is_the_model_of_all_together():
    """Who labelled does not matter: the fit is the same where all pairs are of one user."""
    pairs = WORLD.pairs(two_groups(4), 20, 0)
    together = Comparisons.of(["all"] * len(pairs), pairs.chosen, pairs.rejected)
    settings = pal(prototypes=1, **QUICK)
    one, other = settings.fit(pairs), settings.fit(together)
    answers = pairs.chosen[:10]
    nothing = torch.zeros_like(answers)
    # First weights are drawn in the same order; users' logits come last and have no effect.
    torch.testing.assert_close(
        one.rewards([one.names[0]] * 10, nothing, answers), other.rewards(["all"] * 10, nothing, answers)
    )


def test_a_fit_is_repeatable_and_leaves_the_random_state_alone():
    pairs = WORLD.pairs(two_groups(4), 20, 0)
    torch.manual_seed(5)
    first = pal(**QUICK).fit(pairs)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    assert torch.equal(first.weights, pal(**QUICK).fit(pairs).weights)


def test_a_newcomer_changes_nobody_else():
    fitted = pal(**QUICK).fit(WORLD.pairs(two_groups(4), 30, 0))
    more = fitted.with_user("new", WORLD.pairs({"new": 1}, 5, 1))
    assert more.names == (*fitted.names, "new")
    assert torch.equal(more.weights[:4], fitted.weights)
    assert float(more.weights[4].sum()) == pytest.approx(1.0)
    kept, old = more.points.state_dict(), fitted.points.state_dict()
    assert all(torch.equal(kept[name], old[name]) for name in old if name != "users")


def test_a_newcomer_who_says_nothing_has_equal_weights():
    fitted = pal(**QUICK).fit(WORLD.pairs(two_groups(4), 30, 0))
    same = WORLD.pairs({"new": 0}, 3, 1).chosen
    assert fitted.with_user("new", Comparisons.of(["new"] * 3, same, same)).weights[-1].tolist() == pytest.approx(
        [0.5, 0.5]
    )


def test_bad_input_is_explained():
    fitted = pal(**QUICK).fit(WORLD.pairs(two_groups(2), 5, 0))
    with pytest.raises(DataError, match="nothing is known about the user 'stranger'"):
        fitted.log_odds(WORLD.pairs({"stranger": 0}, 1, 0))
    with pytest.raises(DataError, match="there is a user 'user-0' already"):
        fitted.with_user("user-0", WORLD.pairs({"user-0": 0}, 1, 0))
    with pytest.raises(DataError, match="there are no pairs"):
        Comparisons.of([], torch.zeros(0, 2), torch.zeros(0, 2))
    with pytest.raises(DataError, match="2 users go with embeddings of shapes"):
        Comparisons.of(["a", "b"], torch.zeros(1, 2), torch.zeros(1, 2))
    with pytest.raises(DataError, match="the embedding of pair 1 is not finite"):
        Comparisons.of(["a", "b"], torch.tensor([[0.0], [torch.nan]]), torch.zeros(2, 1))
    with pytest.raises(ObjectiveError, match="prototypes = 0 cannot be used"):
        pal.configure({"prototypes": 0})


def test_the_temperature_divides_logits_by_hand():
    """Logits log 1 and log 3 over T = 2: weights 1 and √3, over their sum."""
    points = by_hand("a", "distance")
    points.temperature = 2.0
    assert points.weights()[0].tolist() == pytest.approx([1 / (1 + 3**0.5), 3**0.5 / (1 + 3**0.5)])
    assert points.mixture(torch.zeros(4)).tolist() == pytest.approx([0.25] * 4)


def test_losses_of_a_lead_by_hand():
    points = IdealPoints(
        2, 1, prototypes=1, dim=2, variant="a", score="distance", hidden=0, dropout=0.0, loss="hinge"
    )
    leads = torch.tensor([-0.5, 0.25, 3.0])
    assert points.loss(leads).tolist() == pytest.approx([1.5, 0.75, 0.0])
    assert by_hand("a", "distance").loss(leads).tolist() == pytest.approx(torch.log1p(torch.exp(-leads)).tolist())


def test_noise_is_drawn_in_training_alone():
    points = by_hand("a", "distance")
    points.gumbel = True
    twice = torch.zeros(2000, dtype=torch.long)
    torch.manual_seed(0)
    drawn = points.train().of_users(twice)
    assert float(drawn.detach().std(0).min()) > 0.1
    # The larger logit is on top with probability 3/4: Gumbel noise draws from the softmax.
    assert float((drawn[:, 1] > drawn[:, 0]).double().mean()) == pytest.approx(0.75, abs=0.03)
    assert torch.equal(points.eval().of_users(twice[:1]), points.weights())


@pytest.mark.parametrize(
    "changes", [{"loss": "hinge"}, {"gumbel": True, "epochs": 40}, {"temperature": 0.5}], ids=str
)
def test_two_tastes_are_told_apart_in_every_form(changes):
    settings = pal(
        **{"prototypes": 2, "dim": 8, "epochs": 15, "batch": 200, "learning_rate": 0.05, "decay": 0.01, **changes}
    )
    fitted = settings.fit(WORLD.pairs(two_groups(20), 30, 0))
    assert fitted.accuracy(WORLD.pairs(two_groups(20), 50, 1)) > 0.85
    known = fitted.with_user("new", WORLD.pairs({"new": 1}, 10, 2))
    assert known.accuracy(WORLD.pairs({"new": 1}, 200, 3)) > 0.8
