"""Unpacking DPO and PPO (2406.09279) in a bandit where every choice in a recipe can be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from truing.arenas.effects import Effect, Outcome
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.recipes import FEATURES, Recipe, worth_of

Make = Callable[[Mapping[str, Mapping[str, Sequence[Outcome]]]], list[Effect]]
_WORLDS = 40
_SOURCE = (
    "2406.09279; catalogue, unpacking-dpo-ppo: a bandit with label noise, two algorithms, reward models, prompts"
)


@lru_cache(maxsize=16)
def _outcomes(recipe: Recipe, seed: int) -> list[Outcome]:
    return [Outcome(worth_of(recipe, seed + number), 0.0) for number in range(_WORLDS)]


def _found(make: Make, seed: int, *, covered: bool) -> dict[str, Effect]:
    """Effects by aspect, in the order in which they are listed."""
    dpo = _outcomes(Recipe(covered=covered), seed)
    ppo = _outcomes(Recipe(algorithm="ppo", covered=covered), seed)
    narrow = Recipe(algorithm="ppo", width=FEATURES - 1, covered=covered)
    table = {
        "prompts": {
            "others": _outcomes(Recipe(algorithm="ppo", in_domain=False, covered=covered), seed),
            "same": ppo,
        },
        "reward": {"narrow": _outcomes(narrow, seed), "wide": ppo},
        "algorithm": {"dpo": dpo, "ppo": ppo},
        "data": {"30 % flipped": _outcomes(Recipe(flipped=0.3, covered=covered), seed), "5 % flipped": dpo},
    }
    return {effect.aspect: effect for effect in make(table)}


@claim(
    method="unpacking-dpo-ppo",
    statement="Where pairs cover all answers, effects are listed as the paper found them: data, algorithm, reward "
    "model, prompts, 4 of 4 in place.",
    source=f"{_SOURCE}; the sizes of the world are ours",
)
def data_before_algorithm_before_reward_before_prompts(make: Make, seed: int) -> Measurement:
    found = _found(make, seed, covered=True)
    order = ("data", "algorithm", "reward", "prompts")
    right = sum(a == b for a, b in zip(found, order, strict=True))
    gains = all(effect.change > 0 for effect in found.values())
    changes = {name: effect.change for name, effect in found.items()}
    return equals(4.0, float(right) if gains else 0.0, 0.0, "aspects", **changes)


@claim(
    method="unpacking-dpo-ppo",
    statement="Where the pairs are of the worse half of the answers, PPO with a reward model that generalises is "
    "better than DPO by more than 0.5 standard deviations of worth.",
    source=f"{_SOURCE}: the algorithm matters where offline pairs do not cover the optimum",
)
def the_algorithm_matters_off_the_data(make: Make, seed: int) -> Measurement:
    return above(0.5, _found(make, seed, covered=False)["algorithm"].change, "standard deviations of worth")


@claim(
    method="unpacking-dpo-ppo",
    statement="Where pairs cover all answers, the two are less than 0.1 standard deviations of worth apart.",
    source=f"{_SOURCE}: and hardly matters where they do",
)
def the_algorithm_hardly_matters_on_the_data(make: Make, seed: int) -> Measurement:
    return below(0.1, abs(_found(make, seed, covered=True)["algorithm"].change), "standard deviations of worth")
