"""Judging, choosing and answering without order, by the packaged model."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from truing.errors import DataError, RecipeError
from truing.judging.bench import PROTOCOLS, Bench
from truing.judging.comparers import LetterOdds
from truing.judging.merging import soft
from truing.judging.pairwise import pairwise_judge
from truing.judging.pine import Choice, PineLetters, choose, respond
from truing.judging.pine.comparer import LETTERS
from truing.judging.pine.orders import _orders, audit_orders, read_choices
from truing.judging.pine.questions import choose_in_order
from truing.judging.presentation import Pair, Presentation, Shown
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling
from truing.policies.pine import PositionInvariant
from truing.rewards.judges.local import load_policy

CHOICE = Choice("What was it like?", ("A good film.", "A bad one, I think.", "Nothing."))


@pytest.fixture(scope="module")
def tiny() -> CausalPolicy:
    return load_policy("truing/tiny")


def test_an_opinion_knows_no_order(tiny: CausalPolicy) -> None:
    """With each answer under its letter, exchanging both is nothing; a letter of its own is not."""
    judge = PineLetters(tiny)
    first, exchanged, relabelled = judge(
        [
            Shown("Say hello.", "Hello there!", "No."),
            Shown("Say hello.", "No.", "Hello there!", labels=("B", "A")),
            Shown("Say hello.", "Hello there!", "No.", labels=("B", "A")),
        ]
    )
    assert first.first == pytest.approx(1 - exchanged.first, abs=1e-5)  # type: ignore[operator]
    assert abs(first.first - relabelled.first) > 1e-3  # type: ignore[operator]


def test_the_protocol_of_pairs_takes_it(tiny: CausalPolicy) -> None:
    pairs = [Pair("Say hello.", "Hello there!", "No.", reference="Hello."), Pair("x", "y", "z")]
    both = (*LETTERS, *(Presentation(not one.swapped, one.labels[::-1]) for one in LETTERS))
    for verdict in pairwise_judge(PineLetters(tiny), pairs, presentations=both):
        one, two, again, twice = (opinion.first for opinion in verdict.of_a)
        assert (again, twice) == (pytest.approx(one, abs=1e-5), pytest.approx(two, abs=1e-5))


def test_it_is_a_protocol_of_truing_judge(tiny: CausalPolicy) -> None:
    pairs = [Pair("Say hello.", "Hello there!", "No.")]
    bench = Bench([LetterOdds(tiny)], merge=soft)
    (verdict,) = PROTOCOLS["pine"].run(bench, pairs).verdicts
    (exchanged,) = PROTOCOLS["pine"].run(bench, [Pair("Say hello.", "No.", "Hello there!")]).verdicts
    assert verdict.share == pytest.approx(1 - exchanged.share, abs=1e-5)
    with pytest.raises(RecipeError, match="cannot read answers without order"):
        PROTOCOLS["pine"].run(Bench([PineLetters(tiny)]), pairs)


def test_options_and_documents(tiny: CausalPolicy) -> None:
    invariant = PositionInvariant(tiny)
    scores = choose(invariant, CHOICE)
    assert choose(invariant, CHOICE, [2, 0, 1]).tolist() == pytest.approx(scores.tolist(), abs=1e-4)
    plain = choose_in_order(tiny, CHOICE, [0, 1, 2])
    assert (choose_in_order(tiny, CHOICE, [2, 0, 1]) - plain).abs().max() > 0.01
    documents = ["The film is from 1990.", "It was made in France by two sisters."]
    asked = [("Where was it made?", documents), ("Where was it made?", documents[::-1])]
    one, two = respond(invariant, asked, Sampling(max_new_tokens=6, temperature=0.0))
    assert one == two


def test_rows_that_are_no_questions_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = {"question": "q", "options": ["a", "b"]}
    for row, words in (
        ({"question": "q"}, "no question with options"),
        ({**good, "answer": 2}, "0 to 1"),
        ({**good, "answer": True}, "answer True"),
        ({**good, "options": ["a"]}, "two texts or more"),
    ):
        path.write_text(f"{json.dumps(good)}\n{json.dumps(row)}\n")
        with pytest.raises(DataError, match=words) as caught:
            read_choices(path)
        assert caught.value.where == f"{path}:2"


def test_real_questions_about_age(tiny: CausalPolicy, shared_data: Path, tmp_path: Path) -> None:
    """BBQ: options in two orders change some log-probabilities by more than 0.01 nats a token, a set none."""
    import gzip

    with gzip.open(shared_data / "bbq/Age.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(3), lines, strict=False)]
    path = tmp_path / "bbq.jsonl"
    path.write_text(
        "".join(
            json.dumps(
                {
                    "question": f"{row['context']} {row['question']}",
                    "options": [row["ans0"], row["ans1"], row["ans2"]],
                    "answer": row["label"],
                }
            )
            + "\n"
            for row in rows
        )
    )
    found = audit_orders(tiny, read_choices(path), orders=2)
    assert found.changed_without.value == 0
    assert found.spread_without.value < 1e-4 < 0.01 < found.spread.value
    assert sum(place.value for place in found.places) == pytest.approx(1)
    assert found.accuracy is not None


def test_no_more_orders_than_there_are() -> None:
    """Five options have 5! = 120 orders; more of them were looked for without end."""
    assert len(_orders(5, 200, random.Random(0))) == 120
    assert len(_orders(5, 7, random.Random(0))) == 7
