"""Which triples of an entity a judge is shown: those that identify it, and those that candidates can be compared on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from truing.judging.entities.graph import Graph, Triple


def chosen_attributes(graph: Graph, entity: str, others: Sequence[str], most: int) -> list[Triple]:
    """Attributes by identifiability: functionality times the share of the others that have them as well.

    Args:
        graph: that holds the entity and the others.
        entity: whose triples are chosen.
        others: that it is told apart from, itself included or not; without any only functionality counts.
        most: triples.
    """
    have = [{attribute for _, attribute, _ in graph.attributes_of.get(other, [])} for other in others]

    def worth(triple: Triple) -> float:
        shared = sum(triple[1] in found for found in have) / len(have) if have else 1.0
        return graph.functionality[triple[1]] * shared

    return _best(graph.attributes_of.get(entity, []), worth, most)


def chosen_relations(graph: Graph, entity: str, aligned: Mapping[str, str], most: int) -> list[tuple[Triple, str]]:
    """Relations by functionality towards the entity, those to neighbours that are aligned already first.

    Args:
        graph: that holds the entity.
        entity: whose triples are chosen.
        aligned: partner of each entity that has one.
        most: triples.

    Returns:
        Triples, each with the neighbour at its other end.
    """
    neighbours = {triple: triple[2] for triple in graph.outgoing.get(entity, [])}
    neighbours |= {triple: triple[0] for triple in graph.incoming.get(entity, [])}

    def worth(triple: Triple) -> float:
        # A subject is pinned down by a relation whose objects have one subject each, and the other way round.
        table = graph.inverse_functionality if triple[0] == entity else graph.functionality
        return table[triple[1]] + float(neighbours[triple] in aligned)

    return [(triple, neighbours[triple]) for triple in _best(list(neighbours), worth, most)]


def _best(triples: Sequence[Triple], worth: Callable[[Triple], float], most: int) -> list[Triple]:
    return sorted(triples, key=lambda triple: (-worth(triple), triple))[:most]
