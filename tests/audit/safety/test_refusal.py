"""What counts as a refusal without training."""

from __future__ import annotations

from truing.audit.safety.refusal import StringMatch, refused


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
