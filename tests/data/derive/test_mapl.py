"""Instructions of MAPL: every flag is recomputed on the text by the instruction's own function."""

from __future__ import annotations

import pytest

from truing.data.derive import PARTS, constraints
from truing.data.derive.base import said
from truing.data.derive.constraints import library, sentences, tokens
from truing.data.sources import load


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return list(load("truing/hh-sample").dataset)


def test_flags_hold_on_real_pairs(rows: list[dict]) -> None:
    found = [(row, constraints(row, 0)) for row in rows]
    assert sum(chosen is not None for _, chosen in found) > 0.9 * len(rows)
    for row, chosen in found:
        if chosen is None:
            continue
        better, worse = said(row["chosen"]), said(row["rejected"])
        assert all(one.holds(better) for one in chosen.met)
        assert not all(one.holds(better) for one in chosen.unmet)
        assert len(chosen.met) == len(chosen.unmet) > 0
        assert all(one.holds(better) and not one.holds(worse) for one in chosen.wide)
        assert all(one.holds(better) and one.holds(worse) for one in chosen.narrow)
        assert len(chosen.wide) == len(chosen.narrow) > 0


def test_no_prompt_contradicts_itself(rows: list[dict]) -> None:
    for row in rows:
        chosen = constraints(row, 0)
        for wanted in (chosen.met, chosen.unmet, chosen.wide, chosen.narrow) if chosen else ():
            assert len({one.about for one in wanted}) == len(wanted)


def test_every_instruction_is_obeyed_by_some_answers_and_broken_by_others(rows: list[dict]) -> None:
    texts = [said(row[side]) for row in rows for side in ("chosen", "rejected")]
    for one in library(["about"]):
        share = sum(one.holds(text) for text in texts) / len(texts)
        assert 0.005 < share < 0.995, one.text


def test_the_seed_decides(rows: list[dict]) -> None:
    assert constraints(rows[0], 0) != constraints(rows[0], 1)
    texts = [[one.text for one in (constraints(rows[0], 3) or pytest.fail("none")).met] for _ in range(2)]
    assert texts[0] == texts[1]


def test_parts_belong_to_the_pairs() -> None:
    records = load("truing/hh-sample", limit=20)
    wide, met = PARTS.get("wide")(records, 0), PARTS.get("met")(records, 0)
    assert wide.kind == "pairs"
    assert met.kind == "demonstrations"
    assert set(met.dataset["id"]) <= set(records.dataset["id"])
    assert met.dataset[0]["completion"] == records.dataset[0]["chosen"]
    assert met.dataset[0]["prompt"] != records.dataset[0]["prompt"]


def test_counting() -> None:
    assert tokens("Don’t do it, I said.") == ["don't", "do", "it", "i", "said"]
    assert sentences("One. Two! Three") == 3
    assert sentences("3.5 is a number.") == 1
