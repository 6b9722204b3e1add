"""One page for each objective, and their index."""

from __future__ import annotations

from typing import Any

import claims
import yaml
from markup import GENERATED, code, paper_link, plain, table
from needs import data, needs
from plot import gradient_figure
from relatives import nearest

from truing.catalogue import entries, explanation
from truing.cli.explanation import meaning_lines
from truing.objectives import METHODS, MODIFIERS

# What only the reader can name: a default would be the same model twice.
PLACEHOLDERS = {"teacher_start": "ORG/TEACHER-BEFORE-ITS-ALIGNMENT"}

# An objective stands in the first group that it belongs to.
GROUPS = (
    ("Reward models", lambda row: row["kind"] == "reward model"),
    ("Training on the policy's own samples", lambda row: row["kind"] == "online-training"),
    ("Distillation", lambda row: row["kind"] == "distillation"),
    ("Answers to move away from", lambda row: row["kind"] == "unlearning" or "unwanted" in row["requires"]),
    (
        "Pairs, compared with a reference",
        lambda row: {"pairs", "reference"} <= set(row["requires"]) and "unpaired" not in row["requires"],
    ),
    (
        "Pairs, without a reference",
        lambda row: "pairs" in row["requires"] and not {"reference", "unpaired"} & set(row["requires"]),
    ),
    (
        "Single answers with a label",
        lambda row: "unpaired" in row["requires"] and "demonstrations" not in row["requires"],
    ),
    ("Likelihood", lambda row: "demonstrations" in row["requires"]),
)


def page(name: str) -> str:
    """The page of one objective."""
    found = explanation(name)
    parts = [
        GENERATED,
        f"# {found['name']}\n",
        plain(found["summary"]) + "\n",
        "## Formula\n",
        code(found["formula"]),
        _legend(found["legend"]),
        "Paper: " + paper_link(found["paper"]) + ".\n",
    ]
    if found["aliases"]:
        parts.append("Also called: " + ", ".join(f"`{alias}`" for alias in found["aliases"]) + ".\n")
    parts += [
        "## When to use it\n",
        plain(found["use_when"]) + "\n",
        "**Not when:** " + plain(found["avoid_when"]) + "\n",
        "## What it needs\n",
        _needs(found),
        "## Hyper-parameters\n",
        _parameters(found["parameters"]),
        "## Meaning\n",
        _meaning(found["meaning"]),
        "## Gradient weight\n",
        gradient_figure(name, found["gradient"]),
        "## Recipe\n",
        code(recipe(found), "yaml"),
        code(_python(found), "python"),
        "## Evidence\n",
        f"`truing verify {name}` measures this anew.\n",
        table(claims.HEAD, [claims.row(result) for result in found["measured"]]),
        "## Nearest relatives\n",
        "Those that share most of its pieces:\n",
        table(("objective", "formula"), [_relative(other) for other in nearest(name)]),
    ]
    return "\n".join(parts)


def _legend(lines: list[str]) -> str:
    pairs = (line.split(": ", 1) for line in lines)
    return "\n".join(f"- `{symbol}`: {plain(meaning)}" for symbol, meaning in pairs) + "\n"


def index() -> str:
    """All objectives by what they need, and the modifiers."""
    rows = [row for row in entries() if row["name"] in METHODS]
    parts = [
        GENERATED,
        "# Objectives\n",
        f"{len(rows)} objectives and {len(MODIFIERS)} modifiers. `truing methods` prints the same list, "
        "`truing explain NAME` the page of one of them. An objective that needs pairs also takes ranked answers, and "
        "one that needs single answers takes pairs: data are converted where nothing is lost but order.\n",
    ]
    listed: set[str] = set()
    for title, belongs in GROUPS:
        group = [row for row in rows if row["name"] not in listed and belongs(row)]
        listed |= {row["name"] for row in group}
        if group:
            parts += [
                f"## {title}\n",
                table(("objective", "what it does", "paper"), [_entry(row) for row in group]),
            ]
    missing = {row["name"] for row in rows} - listed
    if missing:
        raise SystemExit(f"no group of the index holds {', '.join(sorted(missing))}")
    return "\n".join([*parts, _modifiers()])


def recipe(found: dict[str, Any]) -> str:
    """A recipe on the model and the data in the package; it runs as it stands where these have what is needed."""
    values = {p["name"]: p["default"] for p in found["parameters"] if p["default"] is not None}
    values |= {name: text for name, text in PLACEHOLDERS.items() if name in values}
    online = {"online": {"rewards": "sentiment", "answers": 4}} if "online" in found["requires"] else {}
    document = {
        "model": "truing/tiny",
        "data": data(found["name"]),
        "objective": {"name": found["name"], **values},
        **online,
        "training": {"learning_rate": 5e-5, "global_batch": 16},
        "output": f"runs/{found['name']}",
    }
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None)


def _python(found: dict[str, Any]) -> str:
    name = found["name"].replace("-", "_")
    given = ", ".join(f"{p['name']}={p['default']!r}" for p in found["parameters"] if p["default"] is not None)
    return f"from truing.objectives import {name}\n\nprint({name}({given}).text())"


def _needs(found: dict[str, Any]) -> str:
    lines = [*needs(found["requires"])]
    lines.append("cost of a step beside forward and backward: " + plain("; ".join(_cost(found))))
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _cost(found: dict[str, Any]) -> list[str]:
    listed: list[str] = found["cost"]["beside_forward_and_backward"]
    return listed


def _parameters(parameters: list[dict[str, Any]]) -> str:
    if not parameters:
        return "None.\n"
    rows = [
        (f"`{p['name']}`", f"`{p['default']!r}`", plain(p["meaning"]), plain(p["allowed"])) for p in parameters
    ]
    return table(("name", "default", "meaning", "allowed, and why"), rows)


def _meaning(meaning: dict[str, Any]) -> str:
    """The lines of `truing explain`; what they say is explained in a guide."""
    guide = "[What a loss means](../guides/what-a-loss-means.md) explains these lines.\n"
    return "\n".join(f"- {plain(line)}" for line in meaning_lines(meaning)) + f"\n\n{guide}"


def _relative(name: str) -> tuple[str, str]:
    return f"[{name}]({name}.md)", f"`{METHODS.get(name)().text()}`"


def _entry(row: dict[str, Any]) -> tuple[str, str, str]:
    paper = row["paper"]
    return (
        f"[{row['name']}]({row['name']}.md)",
        plain(row["summary"]),
        f"[{paper['arxiv']}](https://arxiv.org/abs/{paper['arxiv']}) ({paper['year']})",
    )


def _modifiers() -> str:
    rows = []
    for modifier in MODIFIERS:
        values = ", ".join(f"`{p.name}={p.default!r}`: {plain(p.doc.text)}" for p in modifier.parameters)
        paper = modifier.paper
        rows.append(
            (f"`{modifier.name}`", plain(modifier.summary), values or "none", f"[{paper.arxiv}]({paper.url})")
        )
    return (
        "## Modifiers\n\n"
        "A modifier changes an objective; a recipe lists them under `modify`. A combination that would have no effect "
        "is an error.\n\n"
        + code("objective: {name: dpo, beta: 0.1, modify: [wpo, {ld: {alpha: 0.5}}]}", "yaml")
        + "\n"
        + table(("modifier", "what it changes", "hyper-parameters", "paper"), rows)
    )
