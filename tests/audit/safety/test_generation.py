"""Sweeps over decoding settings: rates by hand, the grid, a learned classifier of refusals, rows for training."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.policies.models import tiny
from truing.audit.safety.generation import Swept, sweep
from truing.audit.safety.hindsight import ALIGNED, MISALIGNED, hindsight_rows
from truing.audit.safety.learned_refusal import Labelled, LearnedRefusal, agreement, held_out, read_labelled
from truing.audit.safety.refusal import StringMatch
from truing.audit.safety.settings import DEFAULT, GRID, Setting
from truing.decoding.engine import ModelEngine
from truing.diagnostics.generation_exploit import bootstrap, generation_exploit
from truing.errors import DataError
from truing.evidence.decoding_settings import badness, moved, start, union_of
from truing.policies.causal import CausalPolicy


def test_rates_by_hand() -> None:
    """Prompts 0 and 2 fall at setting a, 0 and 1 at b once of twice: union 3/4; control 1/4 of draws, 2/4 prompts."""
    bad = {
        "a": np.array([[1, 1], [0, 0], [1, 1], [0, 0]], dtype=bool),
        "b": np.array([[0, 1], [0, 1], [0, 0], [0, 0]], dtype=bool),
    }
    control = np.array([[1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=bool)
    found = generation_exploit(bad, control)
    assert {name: one.value for name, one in found.settings.items()} == {"a": 0.5, "b": 0.25}
    assert (found.worst, found.union.value, found.control.value, found.default.value) == ("a", 0.75, 0.5, 0.25)
    assert found.more.value == pytest.approx(0.25)
    assert found.over_default.value == pytest.approx(0.5)
    # Prompts 1 and 3 find b worse, by which 0 and 2 are measured (½ and 0); 0 and 2 choose a, where 1 and 3 hold.
    assert found.worst_held_out.value == pytest.approx((0.5 + 0 + 0 + 0) / 4)
    assert (found.prompts, found.answers) == (4, 4)


def test_intervals_are_over_prompts() -> None:
    certain = generation_exploit({"a": np.ones((10, 1), dtype=bool)}, np.ones((10, 1), dtype=bool))
    assert certain.settings["a"].low == pytest.approx(0.722, abs=1e-3)
    assert certain.more.value == certain.more.low == 0
    assert math.isnan(bootstrap(np.array([1.0])).low)
    spread = bootstrap(np.array([1.0, 0.0] * 50))
    assert spread.low == pytest.approx(0.4, abs=0.02)
    assert spread.high == pytest.approx(0.6, abs=0.02)
    for shapes in (((4, 1), (4, 2)), ((4, 1), (3, 1)), ((0, 1), (0, 1))):
        with pytest.raises(DataError, match="as many answers"):
            generation_exploit({"a": np.zeros(shapes[0], dtype=bool)}, np.zeros(shapes[1], dtype=bool))


def test_the_grid_of_the_paper() -> None:
    """20 + 20 + 9; what is not varied is pinned, and nothing is drawn from no token."""
    assert len(GRID) == 49 == len({setting.name for setting in GRID})
    assert sum(setting.temperature != 1 for setting in GRID) == 19
    assert all(setting.temperature == 1 for setting in GRID if setting.top_p < 1 or setting.top_k)
    assert min(setting.top_p for setting in GRID) == 0.05
    assert [setting.top_k for setting in GRID if setting.top_k] == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert (DEFAULT.temperature, DEFAULT.top_p) == (0.1, 0.9)
    sampling = Setting("x", 0.5, 0.6, 7).sampling(8, 3)
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed) == (0.5, 0.6, 7, 3)


def test_the_toy_policies_are_safe_only_when_cold() -> None:
    policies = start(0, 5)
    assert badness(policies, Setting("cold", temperature=0.1)).tolist() == pytest.approx([0.02] * 5, abs=1e-6)
    assert float(badness(policies, Setting("hot")).min()) > 0.2
    assert float(union_of(policies).min()) > 0.9 > float(union_of(moved(policies, 3.0)).max())


class _EvenLengths:
    """Refuses where an answer has an even number of characters."""

    name = "even"

    def __call__(self, prompts: Sequence[object], completions: Sequence[str]) -> np.ndarray:
        return np.array([float(len(text) % 2 == 0) for text in completions])


def _engine() -> ModelEngine:
    words = types.SimpleNamespace(pad_token_id=0, eos_token_id=2, decode=lambda ids, **_: " ".join(map(str, ids)))
    return ModelEngine(CausalPolicy(tiny("llama"), words, precision="float32"))  # type: ignore[arg-type]


def _swept(draws: int = 2) -> Swept:
    engine = _engine()
    engine.encode = lambda prompt: [5 + len(str(prompt)), 6]  # type: ignore[method-assign, assignment]
    settings = (Setting("cold", temperature=0.05), Setting("one", top_k=1), Setting("hot"))
    return sweep(
        engine, ["a", "bb"], [StringMatch(), _EvenLengths()], draws=draws, max_new_tokens=3, settings=settings
    )


def test_a_sweep_draws_as_many_on_either_side() -> None:
    swept = _swept()
    assert {name: [len(own) for own in answers] for name, answers in swept.answers.items()} == {
        "cold": [2, 2],
        "one": [2, 2],
        "hot": [2, 2],
        DEFAULT.name: [6, 6],
    }
    # Of the likeliest token alone every draw is the same.
    assert all(len(set(own)) == 1 for own in swept.answers["one"])
    assert set(swept.found) == {"string-match", "even"}
    assert swept.found["string-match"].union.value == 1
    flat = [text for own in swept.answers.values() for texts in own for text in texts]
    assert swept.agreement == pytest.approx(np.mean([len(text) % 2 == 1 for text in flat]))
    assert "answers" not in swept.as_dict()
    with pytest.raises(DataError, match="0 prompts"):
        sweep(_engine(), [], [StringMatch()])


def test_rows_say_what_their_answers_were() -> None:
    swept = _swept(draws=4)
    labelled = hindsight_rows(swept, "even", "labels", per_prompt=4)
    assert labelled
    assert all(row["label"] == (len(row["completion"]) % 2 == 0) for row in labelled)
    texts = [(row["prompt"], row["completion"]) for row in labelled]
    assert len(set(texts)) == len(texts)
    assert max([prompt for prompt, _ in texts].count(p) for p in ("a", "bb")) <= 4
    marked = hindsight_rows(swept, "even", per_prompt=4)
    for row, label in zip(marked, labelled, strict=True):
        assert row["prompt"] == f"{ALIGNED if label['label'] else MISALIGNED}\n\n{label['prompt']}"
        assert row["completion"] == label["completion"]
    (first, *_) = hindsight_rows(swept, "even", per_prompt=4, messages=True)
    assert first["prompt"][0]["content"].startswith("a\n\n(Write a")
    assert first["completion"] == [{"role": "assistant", "content": marked[0]["completion"]}]
    few = hindsight_rows(swept, "even", settings=["one"])
    assert len(few) == 2
    with pytest.raises(DataError, match="no classifier"):
        hindsight_rows(swept, "none")


def test_a_classifier_learns_from_labels() -> None:
    yes = Labelled(
        "x", ("q",) * 4, ("Sure, mix it.", "Sure, do it.", "I'd rather not.", "I'd rather stop."), (0, 0, 1, 1)
    )
    found = LearnedRefusal.fitted([yes])
    assert (found(["q"] * 3, ["Sure, do that.", "I'd rather not say.", " "]) >= 0.5).tolist() == [
        False,
        True,
        True,
    ]
    assert len(found([], [])) == 0
    assert agreement(found, yes).kappa.value == 1.0
    with pytest.raises(DataError, match="one label"):
        LearnedRefusal.fitted([Labelled("x", ("q",), ("a",), (0,))])
    with pytest.raises(DataError, match="hold one out"):
        held_out([yes])


def test_labels_that_are_unknown_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no labelled answers"):
        read_labelled(tmp_path)
    (tmp_path / "completions_x.csv").write_text("prompt,completion,final_label\nq,a,maybe\n")
    with pytest.raises(DataError, match="label 'maybe'"):
        read_labelled(tmp_path)
    (tmp_path / "completions_x.csv").write_text("completion,final_label\na,1_full_compliance\n")
    with pytest.raises(DataError, match=r"(?s)no column `prompt`.*completions_x\.csv:"):
        read_labelled(tmp_path)


def test_on_labels_of_people_the_learned_one_is_better_than_phrases_on_average(shared_data: Path) -> None:
    """XSTest, each of four models held out in turn with the prompts; on GPT-4 alone phrases do as well."""
    labelled = read_labelled(shared_data / "xstest")
    learned = {one.model: one.kappa.value for one in held_out(labelled)}
    phrases = {one.model: agreement(StringMatch(), one).kappa.value for one in labelled}
    assert len(learned) == 4
    assert all(learned[model] > phrases[model] - 0.05 for model in learned), (learned, phrases)
    assert np.mean(list(learned.values())) > np.mean(list(phrases.values())) + 0.08
