"""Rewards in a recipe."""

import pytest
import torch
from pydantic import ValidationError

from truing.errors import ObjectiveError, RecipeError, TruingError
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import Origin, ReferenceStats
from truing.rewards.build import build
from truing.rewards.pipeline import Pipeline
from truing.rewards.scorers import load_scorer

BOTH = ["sentiment", "harmlessness"]


def made(**section) -> Pipeline:
    return build(RewardsSection.model_validate(section))


def test_one_scorer() -> None:
    found = made(rewards="sentiment").judge(["p"], ["a fine film"])
    assert float(found.reward) == float(load_scorer("sentiment").scores(["a fine film"])[0])


def test_the_whole_section() -> None:
    section = RewardsSection.model_validate(
        {
            "rewards": BOTH,
            "transform": ["z-score", {"name": "clip", "low": -1, "high": 1.0, "on": ["sentiment"]}],
            "combine": {"name": "weighted-sum"},
            "weights": {"name": "constant", "weights": {"sentiment": 1, "harmlessness": 3}},
            "missing": "present",
        }
    )
    samples = torch.randn(1, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    stats = ReferenceStats.of(samples, BOTH, ["p"], Origin("p", "s"))
    found = build(section, stats).judge(["p"], ["excellent, wonderful, moving and great fun"])
    assert found.raw.column("sentiment")[0] > 3
    assert found.transformed.column("sentiment")[0] == 1.0
    mean, std = samples[0].mean(0), samples[0].std(0)
    z = (float(found.raw.column("harmlessness")[0]) - float(mean[1])) / float(std[1])
    assert float(found.reward) == pytest.approx(0.25 + 0.75 * z)


def test_aliases() -> None:
    assert made(rewards=BOTH, transform="lsc", combine="and").needs_reference
    assert made(rewards=BOTH, transform=["infalign-ctrl"], combine="worst-case").names == (
        "sentiment",
        "harmlessness",
    )


@pytest.mark.parametrize(
    ("section", "kind", "message"),
    [
        (
            {"rewards": ["sentimnt"]},
            RecipeError,
            r"(?s)unknown reward 'sentimnt'.*rewards\[0\].*did you mean 'sentiment'",
        ),
        ({"rewards": [3]}, RecipeError, "a reward cannot be made of 3"),
        (
            {"rewards": [{"name": "sentiment", "scale": 2}]},
            RecipeError,
            "the scorer 'sentiment' has no key 'scale'",
        ),
        ({"rewards": BOTH}, RecipeError, "(?s)nothing that makes one reward.*where: rewards.combine"),
        (
            {"rewards": BOTH, "combine": "lsc"},
            RecipeError,
            "(?s)is a reward transform, not a reward combiner.*'transform'",
        ),
        ({"rewards": BOTH, "combine": "means"}, RecipeError, "did you mean 'mean'"),
        ({"rewards": BOTH, "combine": {"nam": "mean"}}, RecipeError, "a mapping with `name`"),
        ({"rewards": BOTH, "combine": {"name": "mean", "k": 1}}, ObjectiveError, "has no hyper-parameter 'k'"),
        (
            {"rewards": BOTH, "combine": {"name": "mean-minus-std", "k": 0}},
            ObjectiveError,
            r"(?s)where: rewards\.combine\.k.*k > 0",
        ),
        (
            {"rewards": "sentiment", "transform": [{"name": "clip"}]},
            ObjectiveError,
            r"where: rewards\.transform\[0\]",
        ),
        (
            {"rewards": "sentiment", "transform": [{"name": "clip", "low": 0, "on": ["sentimental"]}]},
            RecipeError,
            r"(?s)no objective 'sentimental'.*transform\[0\]\.on.*did you mean 'sentiment'",
        ),
        (
            {"rewards": "sentiment", "transform": [{"name": "clip", "low": 0, "on": "sentiment"}]},
            RecipeError,
            "is no list of objectives",
        ),
        (
            {"rewards": BOTH, "combine": "min", "weights": {"name": "constant"}},
            ObjectiveError,
            "constant has no weights",
        ),
        (
            {"rewards": ["sentiment", "sentiment"], "combine": "min"},
            TruingError,
            "two objectives are called 'sentiment'",
        ),
    ],
)
def test_what_is_wrong_is_said(section, kind, message) -> None:
    with pytest.raises(kind, match=message):
        made(**section).judge(["p"], ["a"])


@pytest.mark.parametrize(
    "section", [{"rewards": []}, {"rewards": BOTH, "combin": "min"}, {}, {"rewards": BOTH, "missing": "zero"}]
)
def test_shape_of_the_section(section) -> None:
    with pytest.raises(ValidationError):
        RewardsSection.model_validate(section)
