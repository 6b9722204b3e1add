"""Honesty (2312.07000): metrics of blanket behaviour, and what each kind of demonstration teaches, by enumeration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from truing.data.synthesis.honesty import VARIANTS, Sampled, honest_rows
from truing.diagnostics.honesty import Honesty, honesty
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.prompting.transform import PromptTransform, Shown
from truing.worlds.knowing import QUESTION, RIGHT, WRONG, declining, draws, outcomes

Audit = Callable[..., Honesty]
Rows = Callable[..., list[dict[str, Any]]]

METRICS, TUNING, PROMPT = "honesty", "honesty-tuning", "honest-prompt"
_SOURCE = "2312.07000, section 3; catalogue, honesty: evidence"
_BEFORE = ["correct"] * 5 + ["wrong"] * 4 + ["idk"]
_TOPICS = (0.0, 0.05, 0.1, 0.3, 0.6, 0.9)
_SAMPLES = 6


@claim(
    method=METRICS,
    statement="Declining everything gives over-conservativeness 1, prudence 1 and an honesty of 0.5.",
    source=_SOURCE,
)
def declining_everything_is_chance(audit: Audit, seed: int) -> Measurement:
    found = audit(_BEFORE, ["idk"] * 10, resamples=50)
    blanket = found.over_conservativeness.value == 1 and found.prudence.value == 1
    return equals(0.5, found.honesty.value if blanket else -1.0, 1e-12, "honesty")


@claim(
    method=METRICS,
    statement="Declining nothing gives over-conservativeness 0, prudence 0 and an honesty of 0.5.",
    source=_SOURCE,
)
def declining_nothing_is_chance(audit: Audit, seed: int) -> Measurement:
    found = audit(_BEFORE, ["correct"] * 5 + ["wrong"] * 5, resamples=50)
    blanket = found.over_conservativeness.value == 0 and found.prudence.value == 0
    return equals(0.5, found.honesty.value if blanket else -1.0, 1e-12, "honesty")


@claim(
    method=METRICS,
    statement="Declining just what was not known gives an honesty of 1, also where some of it was learned meanwhile.",
    source=_SOURCE,
)
def an_oracle_is_honest(audit: Audit, seed: int) -> Measurement:
    kept = audit(_BEFORE, ["correct"] * 5 + ["idk"] * 5, resamples=50).honesty.value
    # Two questions became correct: they count for neither side.
    learned = audit(_BEFORE, ["correct"] * 7 + ["idk"] * 3, resamples=50).honesty.value
    return equals(1.0, min(kept, learned), 1e-12, "honesty", kept=kept, learned=learned)


def _declined(rows: Rows, variant: str, **options: float) -> list[float]:
    """Expected share of demonstrations that decline, by topic."""
    return [
        sum(draw.probability * declining(rows(draw.sampled, variant, **options)) for draw in draws(a, _SAMPLES))
        for a in _TOPICS
    ]


@claim(
    method=TUNING,
    statement="Multisample demonstrations decline with probability 1 − a where answers are right with probability a: "
    "largest error 0 over six topics, by enumeration of six samples.",
    source="2312.07000, section 4: the samples are an implicit soft label",
)
def multisample_declines_as_often_as_it_errs(rows: Rows, seed: int) -> Measurement:
    found = _declined(rows, "multisample")
    error = max(abs(one - (1 - a)) for one, a in zip(found, _TOPICS, strict=True))
    return equals(0.0, error, 1e-12, "probability", declined=found)


@claim(
    method=TUNING,
    statement="Absolute demonstrations decline where none of m samples is right, with probability (1 − a)^m: largest "
    "error 0 over six topics, m = 6.",
    source="2312.07000, section 4: known if a ≥ τ, with τ = 1/m",
)
def absolute_declines_what_is_never_right(rows: Rows, seed: int) -> Measurement:
    found = _declined(rows, "absolute", tau=1 / _SAMPLES)
    error = max(abs(one - (1 - a) ** _SAMPLES) for one, a in zip(found, _TOPICS, strict=True))
    return equals(0.0, error, 1e-12, "probability", declined=found)


@claim(
    method=TUNING,
    statement="A learner that fits the demonstrations of each topic exactly is more honest after absolute than after "
    "baseline ones, which leave it at 0.5: by more than 0.1.",
    source="2312.07000, table 3: honesty of absolute above that of the fine-tuned baseline",
)
def absolute_is_more_honest_than_answering_always(rows: Rows, seed: int) -> Measurement:
    scores = {
        variant: honesty(*outcomes(_TOPICS, _declined(rows, variant), 100), resamples=50).honesty.value
        for variant in ("absolute", "baseline")
    }
    gain = scores["absolute"] - scores["baseline"]
    return above(0.1, gain if scores["baseline"] == 0.5 else -1.0, "honesty", **scores)


@claim(
    method=PROMPT,
    statement="What is learned is asked for: of the demonstrations of all variants the share with the very prompt that "
    "honest-prompt shows is 1.",
    source="2312.07000, section 4.1; catalogue, honesty: labels computed with another prompt are a pitfall",
)
def demonstrations_have_this_prompt(make: Callable[[], PromptTransform], seed: int) -> Measurement:
    change = make()
    sampled = Sampled(QUESTION, WRONG, (RIGHT, WRONG))
    (shown,) = change([Shown.of([{"role": "user", "content": QUESTION.text}])])
    rows = [row for variant in VARIANTS for row in honest_rows(sampled, variant)]
    same = sum(row["prompt"] == shown.prompt for row in rows) / len(rows)
    return equals(1.0, same if shown.original != shown.prompt else 0.0, 1e-12, "share")
