"""All methods as plain data, for ``truing methods``, ``truing explain`` and the documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from truing.data.derive import DataMethod
from truing.families import REGISTRIES, Subject
from truing.objectives.algebra import DataKind, Objective, Scores
from truing.objectives.algebra.actor_critic import VALUE
from truing.objectives.algebra.control import code_request
from truing.objectives.algebra.crediting import credit
from truing.objectives.algebra.critiques import CRITIQUE
from truing.objectives.algebra.sampled import ONLINE
from truing.objectives.algebra.values import as_values, head_width
from truing.objectives.semantics.words import meaning
from truing.policies.distributions import FUNCTIONALS, compared_models
from truing.policies.two_tokens import derived_values
from truing.registered import RegisteredFunction

# Gaps at which the gradient weight is shown, nats of log-probability of the whole answer.
_GAPS = [x / 2 for x in range(-40, 41)]
_ANSWER_TOKENS = 20


def entries() -> list[dict[str, Any]]:
    """One mapping per method of every family.

    Keys: name, slug, aliases, kind, paper, requires, claim, summary, parameters.
    """
    return [entry(method) for registry in REGISTRIES for method in registry]


def entry(method: Subject) -> dict[str, Any]:
    """One of them."""
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
            for p in (() if isinstance(method, DataMethod) else method.parameters)
        ],
    }


def explanation(name: str) -> dict[str, Any]:
    """Everything that helps to choose a method, and to read its formula.

    ``gradient``, ``meaning`` and ``cost.beside_forward_and_backward`` are those of objectives; all others have
    ``cost.in_all``.
    """
    from truing.evidence.subjects import subject

    method = subject(name)
    found = {**entry(method), "use_when": method.use_when, "avoid_when": method.avoid_when}
    if isinstance(method, RegisteredFunction | DataMethod):
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
    """How hard an answer is pushed, against how far it has come.

    For pairs the gap between the log-ratios of chosen and rejected varies, half on each side; for single answers
    the log-ratio of the desirable (or, where there is none, the unwanted) one. The weight is −d loss / d log π(answer).
    Parts beside the record stay where they were; of an objective that looks at samples with a reward it is the better
    of two that varies.
    """
    kind = next(kind for kind in _SHOWN if kind in objective.data)
    # Where records of a batch depend on each other, every gap is a batch.
    batches = [_GAPS] if objective.coupling == "none" else [[gap] for gap in _GAPS]
    weights = [weight for gaps in batches for weight in _weights(objective, kind, gaps)]
    return {
        "gap_nats": list(_GAPS),
        "weight": weights,
        "of": _shown(objective, kind),
        "answer_tokens": _ANSWER_TOKENS,
    }


def _shown(objective: Objective, kind: DataKind) -> str:
    """What the gap is the gap of."""
    if "sample:reward" in objective.requires:
        return "log-ratio of a sample with a reward of 1, beside one of 0"
    text = _SHOWN[kind]
    return text.replace("log-ratio", "reward") if head_width(objective.requires) is not None else text


_SHOWN: dict[DataKind, str] = {
    "pairs": "chosen minus rejected log-ratio",
    "ranked": "chosen minus rejected log-ratio",
    "unpaired": "log-ratio of a desirable answer",
    "demonstrations": "log-ratio of a desirable answer",
    "unwanted": "log-ratio of an unwanted answer",
    "samples": "how far an answer with a reward of 1 has moved since it was drawn, beside one of 0",
}
# How far the answers of a record move for a gap of one nat, by kind: a desirable and an undesirable one where there
# are single answers with labels.
_MOVES: dict[DataKind, tuple[float, ...]] = {
    "pairs": (0.5, -0.5),
    "ranked": (0.5, -0.5),
    "unpaired": (1.0, -1.0),
    "demonstrations": (1.0,),
    "unwanted": (1.0,),
    "samples": (0.0, 0.0),
}


def _weights(objective: Objective, kind: DataKind, gaps: Sequence[float]) -> list[float]:
    """−d loss / d log π(answer that varies) at every gap, as if each were a batch of its own."""
    from truing.training.roles import joined, roles

    wanted = sorted(objective.part_data.items())
    parts = {name: next(kind for kind in _MOVES if kind in kinds) for name, kinds in wanted}
    # Single answers are records of their own, each with its parts.
    moves = (1.0, 0.0) if kind == "samples" else _MOVES[kind]
    per_record = 1 if kind == "unpaired" else len(moves)
    records = [
        [gap * move for move in moves[start : start + per_record]]
        for gap in gaps
        for start in range(0, len(moves), per_record)
    ]
    beside = [0.0] * sum(_answers(part) for part in parts.values())
    moved = [[*record, *beside] for record in records]
    varied = 0
    if "sample:reward" in objective.requires:
        varied = per_record
        moved = [[*(0.0 for _ in record), gap, *beside[1:]] for record, gap in zip(records, gaps, strict=True)]
    shift = torch.tensor([move for record in moved for move in record], dtype=torch.float64)
    reference = torch.full((len(shift) * _ANSWER_TOKENS,), -2.0, dtype=torch.float64)
    sequence = torch.arange(len(shift)).repeat_interleave(_ANSWER_TOKENS)
    leaf = (reference + shift[sequence] / _ANSWER_TOKENS).requires_grad_()
    signals = {"log_collision": torch.full_like(reference, -1.0)}
    derived = _derived(objective, leaf, reference)
    # A policy's own answers were drawn where the gap is 0.
    scores = Scores(leaf, sequence, len(shift), reference, signals, derived, drawn=reference)
    width = head_width(objective.requires)
    if width is not None:
        # A reward model's reward is what moves, in place of a log-ratio.
        scores = replace(scores, values=as_values(scores.total(leaf - reference), width))
    columns = {name.removeprefix("column:"): 1.0 for name in objective.requires if name.startswith("column:")}
    # What other models say of an answer is what the reference says; a margin of 0 says that nothing is known.
    columns = {name: -2.0 if name.startswith("mean_logp") else 1.0 for name in columns} | {"margin": 0.0}

    def row(label: bool, moves: Sequence[float]) -> dict[str, Any]:
        answers = len(moves)
        ids = [[0] * _ANSWER_TOKENS] * answers
        rewards = [1.0, 0.0][:answers]
        # Samples come from the policy as it is.
        drawn = {"rewards": rewards, "proposals": [move - 2.0 * _ANSWER_TOKENS for move in moves]}
        if CRITIQUE in objective.requires:
            drawn[CRITIQUE] = [0.0] * answers  # it is the reward that moves, not what is written
        return {"completion_ids": ids, "label": label, "scores": rewards, **drawn, **columns}

    per_gap = len(records) // len(gaps)
    batch = roles(kind, [row(place % per_gap == 0, record) for place, record in enumerate(records)])
    if parts:
        place, rows = per_record, {}
        for name, part in parts.items():
            rows[name] = [row(True, record[place : place + _answers(part)]) for record in moved]
            place += _answers(part)
        batch = joined(batch, {name: roles(parts[name], own) for name, own in rows.items()})
    given, _ = credit(objective, scores.detach(), batch, objective.init())
    scores = replace(scores, signals={**signals, **given})
    tokens = len(records) * _ANSWER_TOKENS
    neutral = Scores(reference[:tokens], sequence[:tokens], len(records), reference[:tokens])
    state = objective.update(objective.init(), scores.detach(), batch, neutral, training=False)
    (gradient,) = torch.autograd.grad(objective(scores, batch, state).loss, leaf)
    first = torch.arange(len(gaps)) * (len(leaf) // len(gaps)) + varied * _ANSWER_TOKENS
    found: list[float] = (-gradient[first] * len(gaps)).tolist()
    return found


def _derived(objective: Objective, policy: Tensor, reference: Tensor) -> dict[str, Tensor]:
    """Other models are as the reference, distributions have the written token and one other, and masks are 1."""
    names = [name.removeprefix("derived:") for name in objective.requires if name.startswith("derived:")]
    models = {model: reference for name in names for model in compared_models(name)}
    return derived_values(names, policy, {"reference": reference, **models}, torch.ones_like(reference))


def _answers(kind: DataKind) -> int:
    """Answers in one record."""
    return 1 if kind == "unpaired" else len(_MOVES[kind])


def cost(objective: Objective) -> dict[str, Any]:
    """What a step costs beside the forward and backward pass that every method needs."""
    extra = []
    online = ONLINE in objective.requires
    if online:
        extra.append("drawing the answers, and a reward for each")
    if "reference" in objective.requires:
        once = "one forward pass of the reference per record and data set, cached on disk"
        extra.append("a forward pass of the reference over every answer" if online else once)
    if "mismatched" in objective.requires:
        extra.append("a forward pass without gradient over one mismatched answer per record in every step")
    if objective.coupling == "batch":
        extra.append("a forward pass without gradient over the whole batch in every step")
    for part, kinds in sorted(objective.part_data.items()):
        extra.append(f"forward and backward over {_count(kinds)} of the part {part}")
    if CRITIQUE in objective.requires:
        extra.append("the output head at every token; in use, a critique that is written before every score")
    heads = sorted(name.removeprefix("head:") for name in objective.requires if name.startswith("head:"))
    if heads:
        extra.append(
            f"a further output head, vocabulary times width, with its gradient and optimiser state, for each of "
            f"{', '.join(heads)}"
        )
    if "sample:reward" in objective.requires:
        extra.append(
            "drawing the samples before training, and again every data.self_samples.refresh_every steps; a reward "
            "and a forward pass for each"
        )
    for name in sorted(objective.requires):
        if name.startswith("column:density_ratio"):
            extra.append("one forward pass of the starting model over all prompts, before training")
        if name.startswith("column:mean_logp:"):
            model = name.removeprefix("column:mean_logp:")
            extra.append(f"one forward pass of {model} over all records, before training")
    codes = code_request(objective.requires)
    if codes is not None:
        extra.append(
            f"{codes.tokens} virtual tokens in front of every prompt, and both answers of a pair each with a prompt of "
            "its own; no gradient of weights while the codes learn alone"
        )
    extra += _cost_of_distributions(objective)
    return {"beside_forward_and_backward": extra or ["nothing"]}


def _cost_of_distributions(objective: Objective) -> list[str]:
    """Models that run along in every step."""
    names = [name.removeprefix("derived:") for name in sorted(objective.requires) if name.startswith("derived:")]
    compared = [name for name in names if name.partition(":")[0] in FUNCTIONALS]
    critics = [name.partition(":")[2] for name in names if name.startswith(f"{VALUE}:")]
    masks = [name for name in names if name not in compared and not name.startswith(("degree:", f"{VALUE}:"))]
    models = sorted({model for name in compared for model in compared_models(name)})
    extra = [
        f"a forward pass of {_model(model)}, which stays in memory, in every step, and the logits of both models at "
        "every position"
        for model in models
    ]
    extra += [
        "one layer more on the policy's states"
        if critic == "head"
        else "a critic that is trained along, with its gradient and optimiser state: a second forward and backward "
        "pass, and one more forward pass where answers are drawn"
        for critic in critics
    ]
    if masks:
        again = "another" if "reference" in models else "a"
        extra.append(f"{again} forward pass of the reference with the states of all layers in every step")
    return extra


def _model(name: str) -> str:
    return "the reference" if name == "reference" else name


def _count(kinds: frozenset[DataKind]) -> str:
    """How many answers of a part a record has beside it."""
    if "samples" in kinds:
        return "all answers"
    return "both answers" if kinds == {"pairs"} else "an answer"


def _measured() -> list[dict[str, Any]]:
    """What ``truing verify --all --json`` printed when this version was made."""
    from truing.assets import folder

    path = folder() / "evidence.json"
    if not path.exists():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
