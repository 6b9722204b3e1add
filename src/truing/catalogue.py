"""All methods as plain data, for ``truing methods``, ``truing explain`` and the documentation."""

from __future__ import annotations

import json
from typing import Any

import torch

from truing.diagnostics.audits import AUDITS, Audit
from truing.objectives.algebra import Batch, Objective, Scores
from truing.objectives.method import METHODS, Method
from truing.objectives.semantics.words import meaning

# Gaps at which the gradient weight is shown, nats of log-probability of the whole answer.
_GAPS = [x / 2 for x in range(-40, 41)]
_ANSWER_TOKENS = 20


def entries() -> list[dict[str, Any]]:
    """One mapping per objective and audit: name, slug, aliases, kind, paper, requires, claim, summary, parameters."""
    return [*(entry(method) for method in METHODS), *(entry(audit) for audit in AUDITS)]


def entry(method: Method[Any] | Audit[Any, Any]) -> dict[str, Any]:
    """One objective or audit."""
    from truing.evidence import claims_for

    measured = _measured()
    return {
        "name": method.name,
        "slug": method.slug,
        "aliases": list(method.aliases),
        "kind": method.kind,
        "paper": method.paper.as_dict(),
        "requires": list(method.requires),
        "claim": " ".join(claim.statement for claim in claims_for(method.name)),
        "measured": [row for row in measured if row["method"] == method.name],
        "summary": method.summary,
        "parameters": [
            {"name": p.name, "default": p.default, "meaning": p.doc.text, "allowed": p.doc.bound}
            for p in (method.parameters if isinstance(method, Method) else ())
        ],
    }


def explanation(name: str) -> dict[str, Any]:
    """Everything that helps to choose an objective or audit, and to read its formula.

    ``gradient``, ``meaning`` and ``cost.beside_forward_and_backward`` are those of objectives; an audit has
    ``cost.in_all``.
    """
    from truing.evidence.subjects import subject

    method = subject(name)
    found = {**entry(method), "use_when": method.use_when, "avoid_when": method.avoid_when}
    if isinstance(method, Audit):
        return {
            **found,
            "formula": method.formula,
            "legend": list(method.legend),
            "cost": {"in_all": [method.cost]},
        }
    objective: Objective = method()
    return {
        **found,
        "formula": objective.text(),
        "legend": objective.legend(),
        "meaning": meaning(objective),
        "gradient": gradient_curve(objective),
        "cost": cost(objective),
    }


def gradient_curve(objective: Objective) -> dict[str, Any]:
    """How hard a pair (or a single answer) is pushed, against how far it has come.

    For pairs the gap between the log-ratios of chosen and rejected varies, half on each side; for single answers
    the log-ratio of a desirable one. The weight is −d loss / d log π(chosen answer).
    """
    weights = []
    for gap in _GAPS:
        weights.append(_weight(objective, gap))
    paired = "pairs" in objective.data or "ranked" in objective.data
    return {
        "gap_nats": list(_GAPS),
        "weight": weights,
        "of": "chosen minus rejected log-ratio" if paired else "log-ratio of a desirable answer",
        "answer_tokens": _ANSWER_TOKENS,
    }


def _weight(objective: Objective, gap: float) -> float:
    paired = "pairs" in objective.data or "ranked" in objective.data
    reference = [torch.full((_ANSWER_TOKENS,), -2.0, dtype=torch.float64) for _ in range(2)]
    moves = (gap / 2, -gap / 2) if paired else (gap, -gap)
    policy = [r + move / _ANSWER_TOKENS for r, move in zip(reference, moves, strict=True)]
    scores = Scores.from_sequences(policy, reference)
    leaf = scores.token_logps.clone().requires_grad_()
    signals = {"log_collision": torch.full_like(leaf.detach(), -1.0)}
    scores = Scores(leaf, scores.sequence, scores.count, scores.reference, signals)
    # A margin of 0 is that of a pair about which nothing is known.
    batch = Batch.pairs(1, margin=torch.zeros(1)) if paired else Batch.unpaired([True, False])
    neutral = Scores.from_sequences(reference, reference)
    state = objective.update(objective.init(), scores.detach(), batch, neutral, training=False)
    loss = objective(scores, batch, state).loss
    (gradient,) = torch.autograd.grad(loss, leaf)
    return float(-gradient[0])


def cost(objective: Objective) -> dict[str, Any]:
    """What a step costs beside the forward and backward pass that every method needs."""
    extra = []
    if "reference" in objective.requires:
        extra.append("one forward pass of the reference per record and data set, cached on disk")
    if "mismatched" in objective.requires:
        extra.append("a forward pass without gradient over one mismatched answer per record in every step")
    if objective.coupling == "batch":
        extra.append("a forward pass without gradient over the whole batch in every step")
    return {"beside_forward_and_backward": extra or ["nothing"]}


def _measured() -> list[dict[str, Any]]:
    """What ``truing verify --all --json`` printed when this version was made."""
    from truing.assets import folder

    path = folder() / "evidence.json"
    if not path.exists():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
