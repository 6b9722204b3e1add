"""What asking judges cost, found and added up."""

from __future__ import annotations

from dataclasses import dataclass

from truing.rewards.judges.usage import Usage, added, usage_in


@dataclass
class Wrapped:
    name: str
    inner: object


@dataclass
class Judge:
    usage: Usage


def test_it_is_found_however_the_judge_is_wrapped() -> None:
    usage = Usage(price_in=2.0)
    usage.add(calls=3, tokens_in=500_000)
    found = usage_in(Wrapped("outer", Wrapped("inner", Judge(usage))))
    assert found is usage
    assert found.as_dict()["cost"] == 1.0
    assert usage_in(Wrapped("rule", 3)) is None


def test_a_run_that_goes_on_adds_up() -> None:
    before = {"judge": {"calls": 3, "cost": 0.5}}
    assert added(before, {"judge": {"calls": 2, "cost": 0.25}, "other": {"calls": 1, "cost": 0.0}}) == {
        "judge": {"calls": 5, "cost": 0.75},
        "other": {"calls": 1, "cost": 0.0},
    }
