"""What a perturbation is, the registry of their names, and how a recipe writes them.

data: {path: FILE, perturb: [{flip_labels: {rate: 0.2}}, {keep_by_length: {chosen: longer}}]}
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from truing.data.records import Records
from truing.data.table import TableWriter
from truing.errors import DataError, RecipeError, did_you_mean
from truing.registry import Registry

if TYPE_CHECKING:
    from truing.data.rows import Row
    from truing.objectives.algebra.scores import DataKind


class Perturbation(BaseModel):
    """One change of the training records. Equal settings and records give equal results on any machine.

    Attributes:
        seed: which records are hit; it does not follow the seed of training, so that runs with several seeds learn
            from the same damage.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Which records are hit."""

    @abstractmethod
    def apply(self, records: Records) -> Records:
        """Changed records, with a note that says what was done.

        Raises:
            DataError: if the records are of a kind that it cannot be applied to, or none would be left.
        """

    def order(self, count: int) -> list[int]:
        """Record numbers in the random order in which they are hit; a larger share holds a smaller one."""
        return [int(i) for i in np.random.default_rng((self.seed, 5)).permutation(count)]


@dataclass(frozen=True)
class Entry:
    """A perturbation by name."""

    name: str
    summary: str
    make: type[Perturbation]
    aliases: tuple[str, ...] = ()


PERTURBATIONS: Registry[Entry] = Registry("perturbation", RecipeError)
Made = TypeVar("Made", bound=type[Perturbation])


def perturbation(name: str, summary: str) -> Callable[[Made], Made]:
    """Register a perturbation under the name that recipes use."""

    def register(made: Made) -> Made:
        PERTURBATIONS.add(Entry(name, summary, made))
        return made

    return register


def build(spec: object, where: str = "data.perturb") -> list[Perturbation]:
    """The perturbations that a recipe lists, in order.

    Args:
        spec: a list whose entries are a name, or a mapping of one name to its settings.
        where: the key under which it stands, for error messages.

    Raises:
        RecipeError: on an unknown name or setting, or a value out of bounds.
    """
    if not isinstance(spec, list | tuple):
        raise RecipeError(f"perturbations are a list, not {spec!r}", where=where, fix=_example())
    return [_one(item, f"{where}[{number}]") for number, item in enumerate(spec)]


def _one(item: object, where: str) -> Perturbation:
    name, values = item, None
    if isinstance(item, Mapping) and len(item) == 1:
        ((name, values),) = item.items()
    if not isinstance(name, str) or not (values is None or isinstance(values, Mapping)):
        raise RecipeError(f"a perturbation cannot be made of {item!r}", where=where, fix=_example())
    entry = PERTURBATIONS.get(name, where)
    try:
        return entry.make(**{str(key): value for key, value in (values or {}).items()})
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0])
        known = entry.make.model_fields
        if problem["type"] == "extra_forbidden":
            what = f"perturbation {entry.name!r} has no setting {key!r}"
        elif problem["type"] == "missing":
            what = f"perturbation {entry.name!r} needs the setting {key!r}"
        else:
            told = problem["msg"].removeprefix("Input should be ")
            what = f"{key} of perturbation {entry.name!r} must be {told}, not {problem['input']!r}"
        raise RecipeError(
            what,
            where=f"{where}.{entry.name}",
            allowed="; ".join(f"{name}: {field.description}" for name, field in known.items()),
            fix=did_you_mean(key, known) if problem["type"] == "extra_forbidden" else None,
        ) from None


def _example() -> str:
    return f"e.g. perturb: [{{flip_labels: {{rate: 0.2}}}}]; known are {', '.join(e.name for e in PERTURBATIONS)}"


def perturbed(records: Records, perturbations: Iterable[Perturbation]) -> Records:
    """Records after all perturbations, one after the other."""
    for change in perturbations:
        records = change.apply(records)
    return records


def rewritten(records: Records, rows: Callable[[int, Row], Row], settings: object, note: str) -> Records:
    """Records of the same kind with every row replaced.

    Args:
        records: not streamed.
        rows: from number and row to the new row.
        settings: what the result depends on beside the records; names its file in the cache.
        note: what was done, in words.
    """
    key = f"{records.fingerprint}-{_hash(repr(settings))}"
    with TableWriter(records.kind, records.conversational, key) as writer:
        for number, row in enumerate(records.dataset):
            writer.add(rows(number, row))
        dataset = writer.finish()
    return replace(records, dataset=dataset, notes=(*records.notes, note))


def selected(records: Records, kept: Sequence[int], note: str) -> Records:
    """Some of the records, in order.

    Raises:
        DataError: if none is left.
    """
    if not kept:
        raise DataError(f"no row is left: {note}", where=records.source, fix="make the perturbation milder")
    dataset: Any = records.dataset
    return replace(records, dataset=dataset.select(list(kept)), notes=(*records.notes, note))


def refuse(records: Records, name: str, kinds: Sequence[DataKind]) -> DataError:
    """The error for records of a kind that a perturbation cannot be applied to."""
    return DataError(
        f"the perturbation {name} cannot be applied to {records.kind} data",
        where=f"{records.source}, layout {records.layout!r}",
        allowed=f"data of the kind {' or '.join(kinds)}",
        fix="remove it from data.perturb",
    )


def _hash(text: str) -> str:
    import xxhash

    return xxhash.xxh3_64_hexdigest(text.encode())
