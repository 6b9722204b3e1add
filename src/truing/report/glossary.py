"""The terms that the report uses, in a sentence each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A term.

    Attributes:
        term: the field's standard word.
        meaning: a sentence that needs no other term of the field, where that is possible.
        about: names of figures or sections that use it; it stands in every report where empty.
    """

    term: str
    meaning: str
    about: frozenset[str] = frozenset()


def glossary(shown: set[str]) -> list[Entry]:
    """The terms of a report.

    Args:
        shown: names of the figures and sections that the report has.
    """
    return [entry for entry in _ENTRIES if not entry.about or entry.about & shown]


def _entry(term: str, meaning: str, *about: str) -> Entry:
    return Entry(term, meaning, frozenset(about))


_REWARD = ("rewards", "margin", "accuracy")
_MOVED = ("displacement", "held-out-answers", "kl", *_REWARD)

_JUDGED = ("reliability", "gaps", "by-length")

_ENTRIES = (
    _entry("chosen, rejected", "The preferred and the other answer to a prompt in the data."),
    _entry("held-out", "Records that were set aside before training and only used for measuring."),
    _entry(
        "reference model",
        "The model that changes are measured against; normally the model as it was before.",
        *_MOVED,
    ),
    _entry(
        "nat",
        "Unit of log-probability. A change of 1 nat makes an answer 2.7 times as likely, one of −1 nat 2.7 times less.",
        "scorecard",
        *_MOVED,
    ),
    _entry(
        "log-ratio",
        "Log-probability of an answer under the trained model minus that under the reference, in nats.",
        *_MOVED,
    ),
    _entry(
        "implicit reward",
        "The log-ratio times a constant of the objective (beta): the score that training gives to an answer without "
        "a separate reward model.",
        *_REWARD,
    ),
    _entry("margin", "Implicit reward of the chosen answer minus that of the rejected one.", *_REWARD),
    _entry(
        "preference accuracy",
        "Share of pairs in which the chosen answer has the higher implicit reward. Guessing gives 50 %.",
        "accuracy",
        "scorecard",
    ),
    _entry(
        "displacement",
        "Chosen answers become less likely during training although they are preferred, because rejected ones fall "
        "faster.",
        "displacement",
        "held-out-answers",
    ),
    _entry(
        "KL (Kullback–Leibler divergence)",
        "How far the trained model's answers are from the reference's, in nats per answer; 0 means identical.",
        "kl",
        "scorecard",
    ),
    _entry(
        "entropy",
        "How undecided the model is about the next token, in bits; here of its ten likeliest tokens.",
        "entropy",
    ),
    _entry(
        "over-optimisation",
        "Training past the point where answers improve: reward still grows while quality falls.",
        "entropy",
        "mass",
    ),
    _entry("gradient norm", "Length of the step that one batch asks for, before it is clipped.", "gradient"),
    _entry(
        "win rate",
        "Share of prompts on which the judge prefers the answer after training; a tie counts one half.",
        "win-rate",
        "samples",
    ),
    _entry(
        "reward model",
        "A model that gives numbers to answers: the more, the better people are expected to like one.",
        *_JUDGED,
    ),
    _entry("gap", "Reward of the chosen answer minus that of the rejected one.", *_JUDGED),
    _entry(
        "log-odds",
        "Logarithm of how many times likelier a preference is than its opposite: 0 is undecided, 2.2 is 90 % sure.",
        *_JUDGED,
    ),
    _entry("confidence", "How sure a model is of the order of a pair, from 50 % to 100 %.", *_JUDGED),
    _entry(
        "expected calibration error",
        "By how much confidence and accuracy differ, averaged over pairs in parts of similar confidence.",
        *_JUDGED,
    ),
    _entry("judge", "The scorer that compares two answers to the same prompt.", "win-rate", "samples"),
    _entry(
        "95 % interval",
        "Computed so that it holds the true value in 95 of 100 repetitions. If it holds the value of no change, the "
        "difference may be chance.",
    ),
    _entry("n", "Number of independent observations behind a number."),
    _entry("fingerprint", "A short code that is the same only for the same content.", "identity"),
)
