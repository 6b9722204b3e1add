"""Follow-up likelihood: trees, arithmetic, equality with plain transformers."""

import math

import pytest
import torch

from truing.errors import DataError, ModelError, ObjectiveError
from truing.recipe.online import RewardsSection
from truing.rewards.build import build
from truing.rewards.judges.follow_up import NEGATIVE, POSITIVE, FollowUps
from truing.rewards.judges.local import load_policy
from truing.rewards.methods import REWARDS

GOOD, BAD = ("Thanks a lot.", "Great."), ("That is wrong.",)
PROMPTS, ANSWERS = ["What is rain?", "Name a colour."], ["Water that falls.", "Blue."]


@pytest.fixture(scope="module")
def policy():
    return load_policy("truing/tiny")


@pytest.fixture(scope="module")
def scorer(policy) -> FollowUps:
    return FollowUps(policy, GOOD, BAD)


def test_likelihoods_equal_plain_transformers(scorer: FollowUps) -> None:
    """Each reply by the model's own forward pass over the whole dialogue, divided by the reply's tokens."""
    found = scorer.likelihoods(PROMPTS, ANSWERS)
    for row, (prompt, answer) in enumerate(zip(PROMPTS, ANSWERS, strict=True)):
        tree = scorer.tree(prompt, answer)
        for column, branch in enumerate(tree.branches):
            ids = torch.tensor([[*tree.prompt, *branch]])
            with torch.no_grad():
                logps = torch.log_softmax(scorer.policy.model(input_ids=ids).logits[0].double(), -1)
            places = torch.arange(len(tree.prompt) - 1, ids.shape[1] - 1)
            mean = logps[places, ids[0, places + 1]].mean()
            assert float(found[row, column]) == pytest.approx(float(mean), abs=1e-4)


def test_replies_share_one_trunk_that_ends_with_the_users_turn(scorer: FollowUps) -> None:
    tokenizer = scorer.policy.tokenizer
    tree = scorer.tree(PROMPTS[0], ANSWERS[0])
    assert len(tree.branches) == 3
    trunk = tokenizer.decode(tree.prompt)
    assert "What is rain?" in trunk
    assert "Water that falls." in trunk
    assert trunk.rstrip().endswith("<|user|>")
    assert tokenizer.decode(tree.branches[2]).strip() == "That is wrong."


def test_earlier_messages_are_kept(scorer: FollowUps) -> None:
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "What is rain?"},
    ]
    trunk = scorer.policy.tokenizer.decode(scorer.tree(messages, "Water.").prompt)
    assert trunk.index("Hello") < trunk.index("Hi") < trunk.index("rain") < trunk.index("Water.")


def test_without_a_template_the_header_stands_between(policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy.tokenizer, "chat_template", None)
    tree = FollowUps(policy, GOOD, BAD, user_turn="\n\nHuman: ").tree("Why?\n\nAssistant:", " So.")
    whole = policy.tokenizer.decode([*tree.prompt, *tree.branches[1]])
    assert whole.endswith("Why?\n\nAssistant: So.\n\nHuman: Great.")


def test_forms_by_hand(policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive −1 and −3, negative −2: difference −2 + 2 = 0, negative 2, odds log(e^−1 + e^−3) + 2."""
    table = torch.tensor([[-1.0, -3.0, -2.0]], dtype=torch.float64)
    monkeypatch.setattr(FollowUps, "likelihoods", lambda *args: table)
    found = [
        float(FollowUps(policy, GOOD, BAD, form)(["p"], ["a"]).values)
        for form in ("difference", "negative", "odds")
    ]
    assert found == pytest.approx([0.0, 2.0, math.log(math.exp(-1) + math.exp(-3)) + 2])


def test_does_not_depend_on_the_batch(scorer: FollowUps) -> None:
    together = scorer(PROMPTS, ANSWERS).values
    alone = torch.cat([scorer([p], [a]).values for p, a in zip(PROMPTS, ANSWERS, strict=True)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert len(scorer([], [])) == 0


def test_in_a_recipe() -> None:
    pipeline = build(RewardsSection.model_validate({"rewards": [{"name": "flr", "model": "truing/tiny"}]}))
    assert pipeline.scorers[0].positive == tuple(POSITIVE)
    assert pipeline.scorers[0].negative == tuple(NEGATIVE)
    assert pipeline.judge(PROMPTS, ANSWERS).valid.all()


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({}, ObjectiveError, "follow-up-likelihood has no model"),
        ({"model": "./nowhere"}, ModelError, "no model folder"),
        ({"model": "truing/tiny", "positive": []}, ObjectiveError, "needs? positive and negative replies"),
        ({"model": "truing/tiny", "negative": [" "]}, ObjectiveError, "none of them empty"),
        ({"model": "truing/tiny", "form": "sum"}, ObjectiveError, "difference, negative or odds"),
    ],
)
def test_settings_that_cannot_be_used(settings, kind, message) -> None:
    with pytest.raises(kind, match=message):
        build(RewardsSection.model_validate({"rewards": [{"name": "follow-up-likelihood", **settings}]}))


def test_dialogues_that_cannot_be_written(scorer: FollowUps, policy) -> None:
    with pytest.raises(DataError, match="the chat template refuses a dialogue with a reply: roles must be"):
        scorer.tree([{"role": "tool", "content": "x"}], "a")
    without = type("Policy", (), {"tokenizer": None})()
    with pytest.raises(ModelError, match="follow-ups need the model's tokenizer"):
        FollowUps(without, GOOD, BAD).tree("p", "a")


def test_is_registered_with_its_card() -> None:
    card = REWARDS.get("flr")
    assert (card.name, card.slug) == ("follow-up-likelihood", "follow-up-likelihood")
    assert all(": " in line for line in card.legend)
    assert card.use_when.endswith(".")
    assert card.avoid_when.endswith(".")
