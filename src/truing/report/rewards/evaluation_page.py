"""The page of ``truing reward eval``: one or several reward models on the same labelled pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from truing.report.glossary import glossary
from truing.report.page import rendered, written
from truing.report.rewards.best_of import best_of_figure
from truing.report.rewards.judged import judged, rate_row
from truing.report.values import Values
from truing.report.wording import measured, number, percent, plural, typeset


def evaluation_page(
    name: str,
    values: Mapping[str, Any],
    gaps: Mapping[str, Sequence[float]],
    mistakes: Mapping[str, Sequence[Mapping[str, Any]]],
) -> str:
    """The HTML.

    Args:
        name: of the evaluation.
        values: the content of reward.json.
        gaps: log-odds of every pair, by model.
        mistakes: the surest of each model.
    """
    record = Values(dict(values))
    names = [model for model, _ in record.part("models")]
    several = len(names) > 1
    sections = [
        judged(
            record.part("models", model),
            gaps.get(model, ()),
            [Values(dict(mistake)) for mistake in mistakes.get(model, ())],
            name=model,
            place=place if several else None,
        )
        for place, model in enumerate(names, start=1)
    ]
    curve = best_of_figure(record.part("best_of"))
    rows = [("models", names), ("ensemble", [aggregate for aggregate, _ in record.part("ensemble")])]
    return rendered(
        "reward_evaluation.html.j2",
        ["style.css"],
        {
            **written(),
            "name": name,
            "source": record.text("data"),
            "pairs": _pairs(record, names),
            "done": _done(record, names),
            "models": [
                (model, _headline(record.part("models", model)), _sentences(values, model)) for model in names
            ],
            "accuracies": [
                rate_row(label if part == "models" else f"ensemble: {label}", estimate)
                for part, labels in rows
                for label in labels
                if (estimate := record.estimate(part, label, "accuracy")) is not None
            ],
            "agreement": [_agreement(pair) for pair in record.parts("agreement")],
            "curve": curve,
            "sections": sections,
            "facts": _facts(record, names),
            "glossary": glossary({figure.name.split("-")[0] for s in sections for figure in s.figures}),
            "limits": _limits(record),
        },
    )


def _done(record: Values, names: list[str]) -> str:
    source = record.text("data") or "the data"
    told = "One reward model" if len(names) == 1 else plural(len(names), "reward model")
    return f"{told} on {_pairs(record, names)} labelled pairs of {PurePath(source).name or source}."


def _pairs(record: Values, names: list[str]) -> str:
    return number(max((record.number("models", name, "accuracy", "n") or 0 for name in names), default=0))


def _headline(report: Values) -> tuple[str, str]:
    accuracy = report.estimate("accuracy")
    if accuracy is None:
        return "Not measured.", "plain"
    told = f"{percent(accuracy.value)} of pairs in the order that people chose."
    if accuracy.low > 0.5:
        return told, "good"
    return told, "bad" if accuracy.high < 0.5 else "plain"


def _sentences(values: Mapping[str, Any], model: str) -> list[str]:
    return [typeset(sentence) for sentence in values.get("findings", {}).get(model, [])]


def _agreement(pair: Values) -> str:
    models = " and ".join(pair.texts("models"))
    return (
        f"{models} order {measured(pair.estimate('order'), share=True)} of pairs alike; rank correlation of their gaps "
        f"{measured(pair.estimate('gaps'))}."
    )


def _facts(record: Values, names: list[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    origin = record.part("origin")
    machine = origin.part("machine")
    general = [
        ("truing", origin.text("truing")),
        *((str(name), value if isinstance(value, str) else None) for name, value in origin.part("versions")),
        ("platform", machine.text("platform")),
        ("hardware", machine.text("gpu") or machine.text("processor")),
    ]
    data = [
        ("source", record.text("data")),
        ("fingerprint of the data", origin.text("fingerprint")),
        ("longest prompt plus answer", number(origin.number("max_length")) + " tokens"),
    ]
    found = [("Versions and hardware", general), ("Data", data)]
    for name in names:
        own = origin.part("models", name)
        found.append(
            (
                name,
                [
                    ("trained with", own.text("objective") or "not recorded"),
                    ("what its head gives", _FORMS.get(own.text("kind") or "")),
                    ("scoring", own.text("scoring")),
                ],
            )
        )
    return [(title, [(label, text) for label, text in rows if text]) for title, rows in found]


_FORMS = {
    "scalar": "one reward an answer",
    "skew": "an embedding an answer; two are compared by a skew-symmetric form",
    "ratings": "one rating a respect; their mean puts pairs in order, and is no log-odds",
    "zero-inflated": "a distribution of a value; its expectation puts pairs in order, and is no log-odds",
    "implicit": "log-probabilities; the reward is their ratio to the reference's",
    "judge": "words; the odds of naming one answer or the other, in both orders",
}


def _limits(record: Values) -> list[str]:
    found = [
        "The labels were taken for right. A pair in the wrong order may be a wrong label: read the surest mistakes.",
        "Answers of other models, and above all of a policy that is trained against a reward, were not looked at "
        "unless the data hold them.",
    ]
    if not record.part("best_of"):
        found.append(
            "Over-optimisation was not measured: the data do not score several answers to the same prompt."
        )
    else:
        found.append(
            "Best of n goes no further than the answers in the data; training a policy goes further. The peak of a "
            "curve is chosen with the same prompts, so that a fall after it is a little overstated."
        )
    return found
