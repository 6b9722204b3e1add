"""Knowledge graphs: triples of relations between entities, and of attributes of entities."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from truing.data.readers import read_rows, suffix
from truing.errors import DataError

Triple = tuple[str, str, str]

_NAMES = ("name", "label", "title")


@dataclass(frozen=True)
class Graph:
    """A knowledge graph.

    Args:
        relations: subject, relation, object; all entities.
        attributes: entity, attribute, value.
    """

    relations: tuple[Triple, ...]
    attributes: tuple[Triple, ...]

    @staticmethod
    def of(triples: Iterable[Triple]) -> Graph:
        """A graph of triples of both kinds: what is a subject somewhere is an entity, anything else a value."""
        found = list(dict.fromkeys(triples))
        subjects = {subject for subject, _, _ in found}
        return Graph(
            tuple(triple for triple in found if triple[2] in subjects),
            tuple(triple for triple in found if triple[2] not in subjects),
        )

    @cached_property
    def entities(self) -> tuple[str, ...]:
        """All of them, in the order in which they are named first."""
        ends = [end for subject, _, other in self.relations for end in (subject, other)]
        return tuple(dict.fromkeys([*(subject for subject, _, _ in self.attributes), *ends]))

    @cached_property
    def attributes_of(self) -> dict[str, list[Triple]]:
        """Triples of attributes by entity."""
        return _grouped(self.attributes, 0)

    @cached_property
    def outgoing(self) -> dict[str, list[Triple]]:
        """Triples of relations by subject."""
        return _grouped(self.relations, 0)

    @cached_property
    def incoming(self) -> dict[str, list[Triple]]:
        """Triples of relations by object."""
        return _grouped(self.relations, 2)

    @cached_property
    def functionality(self) -> dict[str, float]:
        """Distinct subjects over triples of a relation or attribute: 1 where each subject has one."""
        return _shares((*self.relations, *self.attributes), 0)

    @cached_property
    def inverse_functionality(self) -> dict[str, float]:
        """Distinct objects over triples: 1 where each object or value has one subject, which it then identifies."""
        return _shares((*self.relations, *self.attributes), 2)

    def name(self, entity: str) -> str:
        """What an entity is called: its attribute name, label or title, else the last part of its identifier."""
        for _, attribute, value in self.attributes_of.get(entity, []):
            if _local(attribute).lower() in _NAMES:
                return value
        return _local(entity).replace("_", " ")


def read_graph(path: Path) -> Graph:
    """The triples of a file, or of all files in a folder.

    Files that end in tsv or txt hold three fields on a line, with tabs between; others rows with the columns subject,
    predicate and object.

    Raises:
        DataError: if there is no such file, a line or row is no triple, or there are none.
    """
    if path.is_dir():
        files = sorted(inner for inner in path.iterdir() if inner.is_file() and not inner.name.startswith("."))
    else:
        files = [path]
    found = Graph.of(triple for file in files for triple in read_triples(file))
    if not found.entities:
        raise DataError(
            "there are no triples", where=str(path), allowed="subject, predicate and object on each line"
        )
    return found


def read_triples(path: Path) -> Iterator[Triple]:
    """The triples of one file; see :func:`read_graph`."""
    if suffix(path) in (".tsv", ".txt"):
        try:
            with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as stream:
                for number, line in enumerate(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
                    if line:
                        yield _triple(line, f"{path}:{number}")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"the file cannot be read: {error}", where=str(path)) from error
        return
    for number, row in read_rows(path):
        yield _triple([row.get(name) for name in ("subject", "predicate", "object")], f"{path}:{number}")


def _triple(values: Sequence[object], where: str) -> Triple:
    texts = [str(value).strip() if isinstance(value, str | int | float) else "" for value in values]
    if len(texts) != 3 or not all(texts):
        raise DataError(
            f"{len(texts)} fields, {sum(map(bool, texts))} of them with text, are no triple",
            where=where,
            allowed="subject, predicate and object, none of them empty",
        )
    return texts[0], texts[1], texts[2]


def _grouped(triples: Iterable[Triple], place: int) -> dict[str, list[Triple]]:
    found: dict[str, list[Triple]] = {}
    for triple in triples:
        found.setdefault(triple[place], []).append(triple)
    return found


def _shares(triples: Iterable[Triple], place: int) -> dict[str, float]:
    return {
        predicate: len({triple[place] for triple in own}) / len(own)
        for predicate, own in _grouped(triples, 1).items()
    }


def _local(identifier: str) -> str:
    """What stands after the last / or # of an identifier."""
    return identifier.rstrip("/#>").replace("#", "/").rpartition("/")[2] or identifier
