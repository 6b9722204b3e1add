"""The summary of a run that trained a reward model."""

from __future__ import annotations

from dataclasses import replace

from truing.report.measures import Measure, measures, of_verdict
from truing.report.reading import Run
from truing.report.summary import Answer, Summary, alarming, done
from truing.report.wording import listed

ACCURACY = "accuracy"

_AGREES = {
    "better": ("Yes, more often than chance.", "good"),
    "worse": ("No: it prefers what people rejected.", "bad"),
    "same": ("Not shown: its order may be chance.", "plain"),
}


def summarise_reward(run: Run) -> Summary:
    """What was done, does it agree with people, what is wrong with it, is anything alarming."""
    found = [replace(m, label=_LABELS.get((m.name, m.verdict), m.label)) for m in measures(run)]
    answers = (done(run, "trained as a reward model"), agrees(run.ended, found), faults(found), alarming(run))
    return Summary(answers, None, tuple(found))


def agrees(ended: bool, found: list[Measure]) -> Answer:
    """Whether the model puts pairs in the order that people chose."""
    question = "Does it agree with people?"
    accuracy = next((measure for measure in found if measure.name == ACCURACY), None)
    if accuracy is None:
        why = "no pairs were held out" if ended else "the run has not come to its end"
        return Answer(question, f"Not measured: {why}.", "plain")
    headline, level = _AGREES.get(accuracy.verdict, _AGREES["same"])
    return Answer(question, headline, level, (accuracy.sentence,))


def faults(found: list[Measure]) -> Answer:
    """What else is known about it, and speaks against trusting it blindly."""
    question = "What should one know before using it?"
    others = [measure for measure in found if measure.name != ACCURACY]
    if not others:
        return Answer(question, "Not measured.", "plain")
    against = [*of_verdict(others, "worse"), *of_verdict(others, "changed")]
    rest = tuple(measure.sentence for measure in others if measure not in against)
    if not against:
        return Answer(question, "Nothing that was looked for was found.", "good", rest)
    names = listed([_FAULTS.get(measure.name, measure.name) for measure in against])
    return Answer(
        question, f"{names[:1].upper()}{names[1:]}.", "attention", rest, tuple(m.sentence for m in against)
    )


_LABELS = {
    ("accuracy", "better"): "above chance",
    ("accuracy", "worse"): "below chance",
    ("accuracy", "same"): "may be chance",
    ("calibration", "worse"): "not calibrated",
    ("calibration", "same"): "calibrated",
    ("length", "changed"): "follows length",
    ("length", "same"): "no link with length",
}
_FAULTS = {"calibration": "its confidence is off", "length": "it follows length"}
