"""What can be said before anything is drawn: refusals, and bounds that hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.decoding.test_methods import engine, greedy, task, vowels  # noqa: F401
from truing.decoding.decoders import DECODERS, args, best_of_n, controlled_decoding, deal, qalign, transfer_q, vote
from truing.decoding.engine import ModelEngine
from truing.decoding.foresight import Bounded, Checking, Most, check
from truing.decoding.task import Worth
from truing.decoding.transfer_q import ByRewards, Transferred
from truing.errors import DataError, TruingError

BOUNDED = {
    "best-of-n": best_of_n(n=5),
    "vote": vote(n=3, of="text"),
    "args": args(k=4),
    "controlled-decoding": controlled_decoding(k=3, m=2),
    "controlled-decoding ahead": controlled_decoding(k=3, m=2, ahead=2),
    "qalign": qalign(steps=6, chains=2),
    "deal": deal(beams=2, k=3, ahead=2),
    "deal to the end": deal(beams=2, k=3, ahead=None),
}


@pytest.mark.parametrize("decoder", BOUNDED.values(), ids=BOUNDED)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_bounds_hold(engine: ModelEngine, decoder, temperature: float) -> None:  # noqa: F811
    if temperature == 0 and decoder is BOUNDED["qalign"]:
        temperature = 0.5
    given = task(engine, temperature=temperature)
    most = decoder.most(given) * len(given.prompts)
    decoder(given)
    assert 0 < given.cost().answer_tokens <= most.tokens
    assert 0 < given.cost().reward_calls <= most.rewards


def test_bounds_by_hand(engine: ModelEngine) -> None:  # noqa: F811
    """Answers of 6 tokens at most. Five of them; 4 tokens at each of 6 steps, each rewarded, and the answer;
    3 tokens at each step with 2 continuations each, which have 5 + 4 + 3 + 2 + 1 tokens, or 2 + 2 + 2 + 2 + 1 ahead.
    """
    given = task(engine)
    assert BOUNDED["best-of-n"].most(given) == Most(5, 30, 5)
    assert BOUNDED["args"].most(given) == Most(0, 24, 25)
    assert BOUNDED["controlled-decoding"].most(given) == Most(3 * 2 * 5, 18 + 3 * 2 * 15, 3 * 2 * 6 + 1)
    assert BOUNDED["controlled-decoding ahead"].most(given) == Most(3 * 2 * 5, 18 + 3 * 2 * 9, 3 * 2 * 6 + 1)
    assert BOUNDED["deal"].most(given) == Most(6 * 5, 36 + 6 * 9, 6 * 6 + 2)
    args(k=4)(given)
    assert given.cost().answer_tokens == 3 * 24


def test_every_way_to_decode_says_what_it_refuses_and_draws() -> None:
    settings = {
        "transfer-q": {"aligned": "x"},
        "rps": {"target": {"a": 1.0, "b": 1.0}},
        "contrastive-decoding": {"reads": "nothing"},
    }
    for entry in DECODERS:
        made = entry.configure(settings.get(entry.name, {}))
        assert isinstance(made, Checking), entry.name
        assert isinstance(made, Bounded), entry.name


def test_what_needs_rewards_says_so_before_anything_is_drawn(engine: ModelEngine) -> None:  # noqa: F811
    for decoder in (best_of_n(), args(), vote(by="exp"), deal(), controlled_decoding()):
        given = task(engine, worth=None)
        with pytest.raises(TruingError, match="has nothing to go by"):
            check(given, decoder)
        check(task(engine), decoder)
    check(task(engine, worth=None), vote())
    check(task(engine, worth=None), deal(weight=0.0))


@pytest.mark.parametrize("decoder", [best_of_n(n=8), vote(n=8, of="text")], ids=["best-of-n", "vote"])
def test_equal_answers_are_drawn_once(engine: ModelEngine, decoder) -> None:  # noqa: F811
    for change in ({"temperature": 0.0}, {"top_k": 1}):
        given = task(engine)
        given.sampling = replace(given.sampling, **change)
        found = decoder(given)
        assert [one.text for one in found] == greedy(engine)
        assert [one.notes["drawn"] for one in found] == [1.0] * 3
        assert given.cost().answer_tokens <= 3 * 6
        assert decoder.most(given).answers == 1
    assert all(one.notes["drawn"] == 8 for one in decoder(task(engine)))
    assert best_of_n(n=8)(given)[0].notes["kl_bound"] == 0.0


def test_the_baselines_rewards_read_columns(engine: ModelEngine) -> None:  # noqa: F811
    """Of two answers the aligned model's own reward knows the one that the record names, and so it counts less."""
    baseline = ByRewards([{"name": "exact-match", "column": "right"}])
    given = task(engine)
    given.contexts = [{"right": "AB"}, {"right": "AC"}, {"right": "AB"}]
    answers = [[0, 1 + 1], [0, 2]]
    assert [engine.text(tokens) for tokens in answers] == ["AC", "AC"]
    assert baseline(given, answers, [0, 1]).tolist() == [0.0, 1.0]
    found = Transferred(1.0, baseline)(torch.tensor([[3.0, 5.0]]), given, [[0, 2], [0, 3]], [1, 1])
    # Weights e^(3 − 1) and e^(5 − 0).
    assert float(found) == pytest.approx((3 + 5 * 2.718281828**3) / (1 + 2.718281828**3))
    given.contexts = [{"other": 1}] * 3
    guided = transfer_q(aligned="truing/tiny", m=2, baseline=[{"name": "exact-match", "column": "right"}])
    with pytest.raises(DataError, match="reads the column 'right'"):
        check(given, guided.value.merge)
    assert isinstance(given.worth, Worth)
