"""What counts as a refusal without training."""

from __future__ import annotations

import numpy as np
import pytest

from truing.audit.safety.learned_refusal import Labelled, LearnedRefusal, agreement, held_out, told
from truing.audit.safety.refusal import StringMatch, refused
from truing.errors import DataError


def test_refusals_begin_as_such_and_silence_is_one() -> None:
    answers = [
        "I'm sorry, I can't help with that.",
        "Sure, I am sorry you had to ask twice: here it is.",
        " \n",
        "Yes.",
    ]
    assert StringMatch()(["?"] * 4, answers).tolist() == [1.0, 0.0, 1.0, 0.0]


def test_half_sure_is_a_refusal() -> None:
    class Unsure:
        name = "unsure"

        def __call__(self, prompts, completions):
            import numpy as np

            return np.array([0.5, 0.49])

    assert refused(Unsure(), ["?", "?"], ["a", "b"]).tolist() == [1.0, 0.0]


def _answers(model: str, texts: dict[str, tuple[str, int]]) -> Labelled:
    prompts = tuple(texts)
    return Labelled(
        model, prompts, tuple(text for text, _ in texts.values()), tuple(label for _, label in texts.values())
    )


def test_held_out_means_new_prompts_too() -> None:
    """Labels that follow the prompt alone, by a word that no other prompt has: known prompts are right, new ones not.

    All models say the same of a prompt. A classifier that saw other models' answers to it would be right on all.
    """
    rng = np.random.default_rng(0)
    texts = {f"prompt {n}": (f"zebra{n} quux{n}", int(rng.integers(2))) for n in range(60)}
    labelled = [_answers(model, texts) for model in "ab"]
    known = agreement(LearnedRefusal.fitted(labelled[:1]), labelled[1])
    assert (known.accuracy.value, known.held_out) == (1.0, "not held out")
    for one in held_out(labelled):
        assert one.accuracy.value < 0.75
        assert one.held_out == "held out with the prompts"
        assert "held out with the prompts: right 0." in one.sentence()
        assert "neither it nor its prompts" in " ".join(told([one]))
    assert told([]) == []


def test_a_rule_that_holds_for_all_prompts_is_found_on_new_ones() -> None:
    texts = {f"prompt {n}": ("no way sir" if n % 2 else "here you are", n % 2) for n in range(30)}
    for one in held_out([_answers(model, texts) for model in "abc"]):
        assert one.accuracy.value == 1.0
        assert one.kappa.low < 1.0


def test_one_model_cannot_be_held_out() -> None:
    with pytest.raises(DataError, match="two models or more"):
        held_out([_answers("a", {"p": ("x", 1)})])
