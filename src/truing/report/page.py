"""The page: everything that the report says, put into one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

import truing
from truing.report.alarm_list import alarm_list
from truing.report.data_findings import data_section
from truing.report.dialogue import pairs
from truing.report.figures import learning
from truing.report.figures.answers import held_out_figure, length_figure
from truing.report.figures.figure import Figure, Group
from truing.report.figures.policy_curves import POLICY_CURVES
from truing.report.figures.positions import positions_figure
from truing.report.glossary import glossary
from truing.report.judge import judge_of
from truing.report.limits import limits
from truing.report.plain import visible
from truing.report.provenance import (
    identity_facts,
    machine_facts,
    objective_facts,
    recipe_yaml,
    training_facts,
)
from truing.report.reading import Run
from truing.report.status import status_of
from truing.report.summary import Summary, objective_name
from truing.report.win_rate import win_rate_picture
from truing.report.wording import duration, moment

_TEMPLATES = "templates"


def page(run: Run, summary: Summary) -> str:
    """The HTML of a run's report."""
    return rendered("report.html.j2", ["style.css"], _content(run, summary))


def rendered(template: str, styles: Sequence[str], content: Mapping[str, Any]) -> str:
    """A page that is one file: everything from data is escaped, and nothing is loaded from elsewhere.

    Args:
        template: its name among the templates.
        styles: style sheets, in order.
        content: what the template asks for.
    """
    style = "\n".join(_template(name) for name in styles)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    found = _environment().get_template(template)
    return found.render(**content, style=Markup(style), style_digest=digest)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(run: Run, summary: Summary) -> dict[str, Any]:
    groups, missing = _groups(run)
    samples, more_samples = pairs(run)
    shown = {figure.name for group in groups for figure in group.figures}
    shown |= {"samples"} if samples else set()
    shown |= {"scorecard"} if summary.measures else set()
    shown |= {"win-rate"} if summary.win_rate else set()
    return {
        **header(run, summary),
        **provenance(run, shown),
        **written(),
        "win": win_rate_picture(run),
        "groups": groups,
        "samples": samples,
        "more_samples": more_samples,
        "judge": judge_of(run),
        "temperature": run.record.number("recipe", "evaluation", "temperature"),
        "limits": limits(run, missing),
    }


def header(run: Run, summary: Summary) -> dict[str, Any]:
    """What stands at the top of the page of any run."""
    record = run.record
    return {
        "name": run.folder.resolve().name or "run",
        "model": record.text("plan", "model", "name") or record.text("recipe", "model", "name"),
        "objective": objective_name(run),
        "date": moment(record.text("started")) if record.text("started") else None,
        "duration": duration(record.text("started"), record.text("ended")),
        "status": status_of(run),
        "summary": summary,
    }


def provenance(run: Run, shown: set[str]) -> dict[str, Any]:
    """What stands at the end of the page of any run: data, alarms, recipe, versions, terms.

    Args:
        run: the run.
        shown: names of figures and sections, of which the glossary explains the terms.
    """
    identity = identity_facts(run)
    return {
        "data": data_section(run),
        "alarms": alarm_list(run),
        "alarms_known": run.alarms is not None,
        "recipe": recipe_yaml(run),
        "facts": [
            (title, facts)
            for title, facts in (
                ("Objective", objective_facts(run)),
                ("Training", training_facts(run)),
                ("Versions and hardware", machine_facts(run)),
                ("Seeds and fingerprints", identity),
            )
            if facts
        ],
        "glossary": glossary(shown | ({"identity"} if identity else set())),
    }


def written() -> dict[str, str]:
    """By what, and when."""
    return {"version": truing.__version__, "written": moment(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))}


def _groups(run: Run) -> tuple[list[Group], list[str]]:
    """All figures; those about single answers stand with the curves that they belong to."""
    found, missing = learning.groups(run, POLICY_CURVES)
    for title, made, name in (
        ("What happened to the likelihood of the answers?", held_out_figure(run), "held-out answers"),
        ("Did the answers change in length?", length_figure(run), "length of sampled answers"),
    ):
        if made is None:
            missing.append(name)
            continue
        place = next((i for i, group in enumerate(found) if group.title == title), None)
        if place is None:
            found.append(Group(title, (made,)))
        else:
            found[place] = Group(title, (*found[place].figures, made))
    return with_positions(found, positions_figure(run)), missing


def with_positions(groups: list[Group], figure: Figure | None) -> list[Group]:
    """The groups with the figure of distance by position, which runs of earlier versions lack."""
    title = "How far did the model move?"
    if figure is None:
        return groups
    if all(group.title != title for group in groups):
        return [*groups, Group(title, (figure,))]
    return [Group(g.title, (*g.figures, figure)) if g.title == title else g for g in groups]


def _template(name: str) -> str:
    return (files("truing.report") / _TEMPLATES / name).read_text(encoding="utf-8")


def _plain(value: Any) -> Any:
    """What every expression of the template passes through: no text can hide or reorder anything."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
