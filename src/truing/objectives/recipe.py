"""From what a recipe says under ``objective`` to an objective.

objective: dpo
objective: {name: dpo, beta: 0.05, modify: [wpo, {ld: {alpha: 0.3}}]}
objective: [{name: dpo}, {name: nll, weight: 0.005}]
objective: [{name: npo}, {name: nll, part: retain}]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from truing.errors import ObjectiveError, did_you_mean
from truing.objectives.algebra import Objective
from truing.objectives.method import METHODS
from truing.objectives.modifiers import MODIFIERS

_FORMS = "a name, a mapping with `name`, or a list of such mappings, which is a weighted sum"
_OWN_KEYS = ("name", "weight", "modify", "part")


def build(spec: object, where: str = "objective") -> Objective:
    """Build the objective that a recipe describes.

    Args:
        spec: a name; a mapping with ``name``, optionally ``weight`` and ``modify`` (a list of modifiers, each a
            name or a mapping of one name to its hyper-parameters), ``part`` (the part of the data that it is applied
            to instead of the records themselves), and hyper-parameters; or a list of these, whose weighted sum is
            taken. The sum reports the implicit rewards of its first comparing entry.
        where: the key under which the recipe has it, for error messages.

    Raises:
        ObjectiveError: on unknown names or keys, values out of bounds, and combinations that do not fit or have
            no effect; names the key path and the remedy.
    """
    if not isinstance(spec, list | tuple):
        return _entry(spec, where)
    if not spec:
        raise ObjectiveError("the list of objectives is empty", where=where, allowed=_FORMS)
    total, *rest = [_entry(entry, f"{where}[{index}]") for index, entry in enumerate(spec)]
    for part in rest:
        total = total + part
    with _Located(where):
        # No layout may suit them all.
        _ = total.data
    return total


def _entry(spec: object, where: str) -> Objective:
    if isinstance(spec, str):
        return METHODS.get(spec, where).configure({}, where)
    if not isinstance(spec, Mapping):
        raise ObjectiveError(
            f"an objective cannot be made of {spec!r}",
            where=where,
            allowed=_FORMS,
            fix=f"e.g. `{where}: dpo`",
        )
    name = spec.get("name")
    if not isinstance(name, str):
        raise ObjectiveError(
            "an objective needs a name" if name is None else f"{name!r} is not the name of an objective",
            where=f"{where}.name",
            allowed=", ".join(method.name for method in METHODS),
            fix="add e.g. `name: dpo`",
        )
    method = METHODS.get(name, f"{where}.name")
    values = {key: value for key, value in spec.items() if key not in _OWN_KEYS}
    known = [parameter.name for parameter in method.parameters]
    for key in values:
        if key not in known:
            raise ObjectiveError(
                f"objective {method.name!r} has no key {key!r}",
                where=f"{where}.{key}",
                allowed=", ".join([*known, *_OWN_KEYS]),
                fix=_nearest(key, known),
            )
    with _Located(where):
        objective = method.configure(values, where)
    objective = _modified(objective, spec.get("modify", []), f"{where}.modify")
    if "part" in spec:
        objective = _on_part(objective, spec["part"], f"{where}.part")
    return _weight(spec.get("weight", 1.0), f"{where}.weight") * objective


def _on_part(objective: Objective, part: object, where: str) -> Objective:
    if not isinstance(part, str) or not part.isidentifier():
        raise ObjectiveError(
            f"{part!r} is not the name of a part",
            where=where,
            allowed="a name under data.parts, e.g. retain",
            fix="leave `part` out to apply the objective to the records themselves",
        )
    return objective.on(part)


def _nearest(key: object, known: list[str]) -> str:
    if str(key) in MODIFIERS:
        return f"{key!r} is a modifier: put it under `modify`"
    return did_you_mean(str(key), [*known, *_OWN_KEYS]) or "remove it"


def _weight(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ObjectiveError(
            f"weight = {value!r} cannot be used",
            where=where,
            allowed="weight > 0; at 0 the entry does nothing, below 0 it would be undone",
            fix="remove the entry, or give it a positive number",
        )
    return float(value)


def _modified(objective: Objective, spec: object, where: str) -> Objective:
    if not isinstance(spec, list | tuple):
        raise ObjectiveError(
            f"`modify` must be a list, not {spec!r}",
            where=where,
            allowed=", ".join(modifier.name for modifier in MODIFIERS),
            fix="e.g. `modify: [wpo, {ld: {alpha: 0.5}}]`",
        )
    applied = []
    for index, item in enumerate(spec):
        name, values, path = _modifier(item, f"{where}[{index}]")
        modifier = MODIFIERS.get(name, path)
        with _Located(path):
            objective = modifier.configure(objective, values, path)
        applied.append(modifier.name)
    return objective.named(f"{objective.name}({', '.join(applied)})") if applied else objective


def _modifier(item: object, where: str) -> tuple[str, Mapping[str, Any], str]:
    """Name, hyper-parameters and key path of one entry of ``modify``."""
    if isinstance(item, str):
        return item, {}, where
    if isinstance(item, Mapping) and len(item) == 1:
        ((name, values),) = item.items()
        values = {} if values is None else values
        if isinstance(name, str) and isinstance(values, Mapping):
            return name, values, f"{where}.{name}"
    raise ObjectiveError(
        f"a modifier cannot be made of {item!r}",
        where=where,
        allowed="a name, or a mapping of one name to its hyper-parameters",
        fix=_modifier_form(item),
    )


def _modifier_form(item: object) -> str:
    if isinstance(item, Mapping) and item.get("name") in [modifier.name for modifier in MODIFIERS]:
        rest = ", ".join(f"{key}: {value}" for key, value in item.items() if key != "name")
        return f"write `{{{item['name']}: {{{rest}}}}}`"
    if isinstance(item, Mapping) and len(item) > 1:
        return "one modifier an entry: `modify: [{ld: {alpha: 0.5}}, wpo]`"
    return "e.g. `modify: [wpo, {ld: {alpha: 0.5}}]`"


class _Located:
    """Adds the key path to an error that has none of its own in the recipe."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ObjectiveError) and not (error.where or "").startswith(self.where):
            what = error.what if error.where is None else f"{error.what} (in {error.where})"
            raise ObjectiveError(what, where=self.where, allowed=error.allowed, fix=error.fix) from None
