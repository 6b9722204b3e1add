"""A track on which only rejected answers are left, and methods that learn from these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.arenas.setups import arena_job, arena_values
from tests.jobs import truing
from truing.arenas.cells import cells
from truing.arenas.load import parse_arena
from truing.arenas.plan import plan
from truing.errors import TruingError

SAMPLES = {"count": 2, "max_new_tokens": 3}
D2O = {"objective": "d2o", "self_samples": SAMPLES, "tracks": ["negatives"]}
NPO = {"objective": "npo", "tracks": ["negatives"]}
TRACKS = [{"label": "clean"}, {"label": "negatives", "perturb": ["only_disliked"], "objectives": ["d2o", "npo"]}]


def made(**changes: Any) -> list[Any]:
    return cells(parse_arena(arena_values(Path("here"), **{"tracks": TRACKS, **changes})))


def test_an_entry_says_where_it_takes_part_and_how_it_samples() -> None:
    found = made(objectives=["dpo", D2O, NPO])
    assert [(c.track, c.method) for c in found] == [("clean", "dpo"), ("negatives", "d2o"), ("negatives", "npo")]
    counts = [(c.recipe.data.self_samples.count, c.recipe.data.self_samples.max_new_tokens) for c in found]
    assert counts == [(8, 64), (2, 3), (8, 64)]  # 8 and 64 are the defaults of a recipe


def test_samples_are_counted_before_anything_runs(tmp_path: Path) -> None:
    """18 + 6 prompts with 2 answers each: 48 are drawn. Of 3 steps of 4 records each record brings 2 * 3 new tokens
    at most and its prompt once more; the reference sees the same of all 24 prompts."""
    arena_job(tmp_path)
    found = plan(parse_arena(arena_values(tmp_path, tracks=TRACKS, objectives=["dpo", D2O, NPO])))
    pairs, own, plain = found.work
    assert [w.kind for w in found.work] == ["pairs", "unwanted", "unwanted"]
    assert [(w.records, w.steps, w.batch) for w in found.work] == [(18, 3, 4)] * 3
    assert [w.drawn_answers for w in found.work] == [0, 48, 0]
    assert pairs.extra_tokens == plain.extra_tokens == 0
    prompts = (own.gradient_tokens - plain.gradient_tokens) / 12 - 6  # tokens of a prompt, on average
    assert prompts > 0
    assert own.extra_tokens == pytest.approx(24 * (prompts + 6), rel=0.1)
    # The disliked answers are the same, so that their reference values are shared.
    assert own.reference_key == plain.reference_key != pairs.reference_key


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        ([{"objective": "npo", "tracks": ["negative"]}, "d2o"], "names a track 'negative' that is not there"),
        ([{"objective": "npo", "tracks": []}, "d2o"], "objectives.0..tracks must be .*at least 1 item"),
        (
            [{"objective": "npo", "tracks": ["clean"]}, "d2o"],
            "'negatives' names the objective 'npo', which leaves",
        ),
        ([{"objective": "d2o", "self_samples": {"number": 2}}, "npo"], "unknown key .*self_samples.number"),
    ],
)
def test_mistakes(objectives: list[Any], said: str) -> None:
    with pytest.raises(TruingError, match=said):
        made(objectives=objectives)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"objective": "npo", "self_samples": SAMPLES}, "data.self_samples has no effect: objective 'npo'"),
        ("graddiff", "takes a part 'retain' beside every record"),
        ("dpo", "track 'negatives', objective 'dpo': the objective cannot learn from unwanted data"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_runs(tmp_path: Path, entry: Any, said: str) -> None:
    arena_job(tmp_path)
    tracks = [{"label": "negatives", "perturb": ["only_disliked"]}]
    with pytest.raises(TruingError, match=said):
        plan(parse_arena(arena_values(tmp_path, objectives=[entry], tracks=tracks)))


@pytest.mark.slow
def test_they_run_and_are_judged_like_all_others(tmp_path: Path) -> None:
    """The same held-out pairs and prompts; the answers of d2o's own are those that it asked for."""
    arena = arena_job(tmp_path, objectives=["dpo", D2O, NPO], tracks=TRACKS)
    ended = truing(["arena", arena, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    record = json.loads((tmp_path / "out" / "arena.json").read_text())
    assert [cell["status"] for cell in record["cells"]] == ["finished"] * 3
    assert [cell["reference_reused"] for cell in record["cells"]] == [1.0] * 3
    track = record["tracks"][1]
    assert [m["name"] for m in track["methods"]] == ["d2o", "npo"]
    for measure, items in (("win_rate", 6), ("accuracy", 6)):
        assert track["rankings"][measure]["items"] == items
        assert len(track["rankings"][measure]["places"]) == 3  # and the starting model
    drawn = json.loads((Path(record["cells"][1]["folder"]) / "self_samples.json").read_text())
    assert {len(answers) for answers in drawn["train"]["completions"]} == {2}
    assert max(len(answer) for answers in drawn["train"]["completions"] for answer in answers) <= 3
    page = (tmp_path / "out" / "arena.html").read_text()
    assert "only_disliked" in page
    assert page.count("d2o") > 3
