"""Regret and partial returns of segments, files of comparisons, and learning from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from truing.control.regret import (
    counted_world,
    log_odds,
    partial_return,
    pooled_values,
    regret,
    regret_preference,
    successor_features,
)
from truing.control.segments import SegmentPairs, Segments, read_pairs
from truing.errors import DataError, ObjectiveError
from truing.worlds.gridworlds import grid, walks
from truing.worlds.mdp import MDP, greedy, optimal_values, policy_values


def corridor() -> MDP:
    """Three states, the last one the end; action 0 stays, action 1 goes right; every step costs 1, at 0.9."""
    moves = torch.zeros(3, 2, 3, dtype=torch.float64)
    for state in range(2):
        moves[state, 0, state] = moves[state, 1, state + 1] = 1
    return MDP.of(moves, -torch.ones(3, 2, dtype=torch.float64), 0.9, terminal=[2])


def test_regret_by_hand() -> None:
    """V* = (−1.9, −1, 0). To stay at 0 loses V − Q = −1.9 + 1 + 0.9·1.9 = 0.81; to stay, then to go, the same."""
    segments = Segments.of([[0, 0], [0, 1], [0, 0, 1], [1, 2]], [[0], [1], [0, 1], [1]])
    assert regret(corridor(), segments).tolist() == pytest.approx([0.81, 0.0, 0.81, 0.0])
    assert partial_return(corridor(), segments).tolist() == pytest.approx([-1.0, -1.0, -1.9, -1.0])


def test_without_chance_regret_is_what_the_ends_say() -> None:
    """V*(s_0) − Σ gamma^t r_t − gamma^L V*(s_L), for segments of all lengths."""
    own = grid(3).world
    segments = walks(own, 50, 6, 1, vary=True)
    best = optimal_values(own)
    reached = partial_return(own, segments) + own.gamma**segments.lengths * best[segments.end]
    torch.testing.assert_close(regret(own, segments), best[segments.states[:, 0]] - reached)
    assert float(regret(own, segments).min()) >= -1e-9


def test_best_decisions_have_no_regret_whatever_chance_does() -> None:
    own = grid(1, slip=0.4).world
    best = greedy(own, optimal_values(own)).argmax(1)
    start = int((~own.terminal).nonzero()[0])
    ends = (own.transitions[start, best[start]] > 0).nonzero()[:, 0].tolist()
    assert len(ends) > 1
    segments = Segments.of([[start, end] for end in ends], [[int(best[start])]] * len(ends))
    assert regret(own, segments).abs().max() < 1e-9


def test_successor_features_are_values_for_every_reward() -> None:
    own = grid(2)
    policy = torch.full((own.world.states, 4), 0.25, dtype=torch.float64)
    found = successor_features(own.world, own.features, policy) @ own.weights
    torch.testing.assert_close(found, policy_values(own.world, policy))


def test_a_pool_that_holds_the_best_policy_has_its_value() -> None:
    own = grid(2)
    best = optimal_values(own.world)
    policies = [greedy(own.world, best), torch.full((own.world.states, 4), 0.25, dtype=torch.float64)]
    pool = torch.stack([successor_features(own.world, own.features, policy) for policy in policies])
    torch.testing.assert_close(pooled_values(pool, 1e4)(own.weights), best)
    assert (pooled_values(pool, 1.0)(own.weights) <= best + 1e-9).all()


def test_transitions_are_counted() -> None:
    first = Segments.of([[0, 1, 1], [0, 0]], [[1, 0], [1]])
    pairs = SegmentPairs(first, Segments.of([[0, 1], [0, 1]], [[1], [1]]), torch.ones(2).double())
    world = counted_world(pairs, 0.9)
    assert world.transitions[0, 1].tolist() == [0.25, 0.75]
    assert world.transitions[1, 1].tolist() == [0.0, 1.0]


def test_a_fit_is_repeatable_and_falls() -> None:
    own = grid(0, side=3)
    first, second = (walks(own.world, 20, 3, seed) for seed in (1, 2))
    pairs = SegmentPairs(first, second, torch.zeros(20).double())
    pairs = replace(pairs, preferred=(log_odds("regret", own.world, pairs) > 0).double())
    found = [regret_preference(own.world, pairs, own.features, steps=20) for _ in range(2)]
    assert torch.equal(found[0].weights, found[1].weights)
    assert found[0].losses[-1] < found[0].losses[0]


def _written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_files_are_read(tmp_path: Path) -> None:
    row = {
        "first": {"states": [0, 1], "actions": [1]},
        "second": {"states": [0, 0, 1], "actions": [0, 1]},
        "label": 2,
    }
    pairs = read_pairs(_written(tmp_path / "a.jsonl", row, {**row, "label": 0}))
    assert pairs.preferred.tolist() == [0.0, 0.5]
    assert pairs.second.lengths.tolist() == [2, 2]
    assert pairs.second.end.tolist() == [1, 1]


def test_the_command_tells_the_best_actions(tmp_path: Path) -> None:
    """Two ways from 0: action 1 ends at once, action 0 stays; people prefer to get on."""
    from typer.testing import CliRunner

    from truing.cli.reward import app

    row = {"first": {"states": [0, 1], "actions": [1]}, "second": {"states": [0, 0], "actions": [0]}, "label": 1}
    path, out = _written(tmp_path / "a.jsonl", *[row] * 4), tmp_path / "found.json"
    done = CliRunner().invoke(app, ["segments", str(path), "--end", "1", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "state 0: best action 1" in done.output
    assert "state 1 (end)" in done.output
    assert json.loads(out.read_text())["policy"][0] == [0.0, 1.0]
    wrong = CliRunner().invoke(app, ["segments", str(path), "--end", "9"])
    assert "no segment visits the state 9" in str(wrong.exception)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 3}, "the label is 3"),
        ({"first": {"states": [0], "actions": [1]}}, "'first' has 1 states and 1 actions"),
        ({"first": {"states": [0, -1], "actions": [1]}}, "'first' is no segment"),
        ({"second": None}, "'second' is no segment"),
    ],
)
def test_lines_that_say_nothing_are_named(change: dict[str, object], message: str, tmp_path: Path) -> None:
    row = {"first": {"states": [0, 1], "actions": [1]}, "second": {"states": [0, 1], "actions": [1]}, "label": 1}
    with pytest.raises(DataError, match=message) as caught:
        read_pairs(_written(tmp_path / "a.jsonl", row, {**row, **change}))
    assert str(caught.value.where).endswith("a.jsonl:2")


def test_worlds_and_segments_must_fit() -> None:
    one = Segments.of([[0, 7]], [[1]])
    pairs = SegmentPairs(one, one, torch.ones(1).double())
    with pytest.raises(DataError, match="names the state 7"):
        regret_preference(corridor(), pairs)
    fine = Segments.of([[0, 1]], [[1]])
    with pytest.raises(ObjectiveError, match="unknown statistic 'luck'"):
        regret_preference(corridor(), SegmentPairs(fine, fine, torch.ones(1).double()), statistic="luck")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="features have the shape"):
        regret_preference(corridor(), SegmentPairs(fine, fine, torch.ones(1).double()), torch.zeros(2, 2, 1))
    with pytest.raises(DataError, match="a segment has 1 states and 1 actions"):
        Segments.of([[0]], [[1]])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "segments.jsonl"
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_pairs(path)
    path.write_bytes(b'{"first": "\xff"}\n')
    with pytest.raises(DataError, match="not UTF-8") as raised:
        read_pairs(path)
    assert raised.value.where == f"{path}:1"
    path.write_text("")
    with pytest.raises(DataError, match="the file has no rows"):
        read_pairs(path)
