"""Changes of prompts by name, as recipes and commands give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truing.errors import RecipeError
from truing.prompting.prompts import PROMPTING
from truing.prompting.transform import AsText, Identity, PromptTransform, chained
from truing.rewards.lookup import named


def transform_of(spec: object, where: str = "prompt") -> PromptTransform:
    """The change of prompts that is meant.

    Args:
        spec: a name, a mapping ``{name: NAME, ...}`` with hyper-parameters, or a list of these, applied in turn.
        where: key path or option, for error messages.

    Raises:
        RecipeError: if it is none of these.
        TruingError: on an unknown name.
        ObjectiveError: on an unknown hyper-parameter or a value out of bounds.
    """
    if isinstance(spec, list):
        return chained(*(transform_of(one, f"{where}[{place}]") for place, one in enumerate(spec)))
    name, values = named(spec, "way to prompt", where)
    made: PromptTransform = PROMPTING.get(name, where).configure(values, where)
    return made


def way(text: str, where: str) -> PromptTransform:
    """One way to ask as it is typed: ``as-is``, ``text`` (without any template), or a registered one.

    Raises:
        RecipeError, TruingError, ObjectiveError: as :func:`transform_of`.
    """
    plain: dict[str, PromptTransform] = {"as-is": Identity(), "text": AsText()}
    return plain[text] if text in plain else transform_of(written([text], where)[0], where)


def written(texts: Sequence[str], where: str) -> list[Any]:
    """Names and mappings as they are typed on a command line: ``urial``, or ``{name: urial, examples: 1}``.

    Raises:
        RecipeError: if one is no YAML.
    """
    import yaml

    found = []
    for text in texts:
        try:
            found.append(yaml.safe_load(text))
        except yaml.YAMLError:
            raise RecipeError(
                f"{text!r} cannot be read", where=where, allowed="a name, or {name: NAME, key: value}"
            ) from None
    return found
