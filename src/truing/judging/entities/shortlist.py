"""Candidates for every entity, by how alike names and values are written; any other scores do as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from truing.data.readers import read_rows
from truing.errors import DataError
from truing.judging.entities.graph import Graph


def lexical_scores(source: Graph, target: Graph) -> Float[np.ndarray, "m n"]:
    """Cosine of TF-IDF vectors of character n-grams of names and values; entities in the order of their graphs.

    A plain embedder, for graphs in one language. Scores of a trained one can take its place.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [[_written(graph, entity) for entity in graph.entities] for graph in (source, target)]
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit(texts[0] + texts[1])
    left, right = (vectors.transform(own) for own in texts)
    scores: np.ndarray = np.asarray((left @ right.T).todense())
    return scores


def read_scores(path: Path, source: Graph, target: Graph) -> Float[np.ndarray, "m n"]:
    """Scores of a file with the columns source, target and score; −∞ where there is none.

    Raises:
        DataError: if a row has no score, or names no entity of its graph.
    """
    places = [{entity: place for place, entity in enumerate(graph.entities)} for graph in (source, target)]
    scores = np.full((len(places[0]), len(places[1])), -np.inf)
    for number, row in read_rows(path):
        ends = [place.get(str(row.get(name))) for name, place in zip(("source", "target"), places, strict=True)]
        value = row.get("score")
        try:
            score = float(str(value))
        except ValueError:
            score = np.nan
        if ends[0] is None or ends[1] is None or not np.isfinite(score):
            raise DataError(
                "this is no score of an entity of the source and one of the target",
                where=f"{path}:{number}",
                allowed="columns source, target and score, with identifiers of the graphs",
            )
        scores[ends[0], ends[1]] = score
    return scores


def shortlist(scores: Float[np.ndarray, "m n"], k: int) -> list[list[int]]:
    """The k targets with the highest scores for each source, the best first; fewer where fewer have a score."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return [
        [int(place) for place in row if np.isfinite(scores[number, place])] for number, row in enumerate(order)
    ]


def recall(candidates: Sequence[Sequence[str]], gold: Sequence[str]) -> float:
    """Share of sources whose partner is among the candidates, which no choice among them can exceed."""
    return float(np.mean([partner in own for own, partner in zip(candidates, gold, strict=True)]))


def _written(graph: Graph, entity: str) -> str:
    values = [value for _, _, value in graph.attributes_of.get(entity, [])]
    return " | ".join([graph.name(entity), *values])
