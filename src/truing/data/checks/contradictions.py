"""Contradictions: votes that cannot all be right.

The answers to a prompt are nodes and every pair an edge from chosen to rejected. A contradiction is an edge whose
reverse is there, too. After removing those, every edge inside a strongly connected component lies on a cycle.
"""

from __future__ import annotations

import numpy as np

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding


def _pairs(subject: Subject) -> list[Finding]:
    edges = []
    nodes: dict[tuple[str, str], int] = {}
    for prompt, (chosen, rejected) in zip(subject.prompts, subject.answers, strict=True):
        better = nodes.setdefault((prompt, chosen), len(nodes))
        worse = nodes.setdefault((prompt, rejected), len(nodes))
        edges.append((better, worse))
    present = set(edges)
    opposed = [a != b and (b, a) in present for a, b in edges]
    component = _components([edge for edge, bad in zip(edges, opposed, strict=True) if not bad], len(nodes))
    cyclic = [
        a != b and not bad and component[a] == component[b] for (a, b), bad in zip(edges, opposed, strict=True)
    ]
    voted = "annotator" in subject.records.columns
    return [
        finding(
            "pairs that another pair states the other way round",
            subject.rows_where(lambda i: opposed[i]),
            len(subject),
            "Same prompt, same two answers, opposite order: their gradients cancel, and one of them is wrong."
            + (" Annotators who disagree give such pairs." if voted else ""),
            "Keep the majority's order; or keep both and use a loss for noisy labels, such as cdpo or rdpo.",
            severity="info" if voted else "warning",
        ),
        finding(
            "pairs on a cycle (a over b, b over c, c over a)",
            subject.rows_where(lambda i: cyclic[i]),
            len(subject),
            "No score of single answers can agree with all of them.",
            "Ask again about these, or use an objective that does not assume a score (such as sppo).",
            severity="warning",
        ),
    ]


def _components(edges: list[tuple[int, int]], nodes: int) -> np.ndarray:
    """Number of the strongly connected component of every node."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    tails, heads = (np.array(side, dtype=np.int64) for side in zip(*edges, strict=True)) if edges else ([], [])
    graph = coo_matrix((np.ones(len(edges)), (tails, heads)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=True, connection="strong")[1])


def _unpaired(subject: Subject) -> list[Finding]:
    labels: dict[tuple[str, str], set[bool]] = {}
    keys = [(prompt, found[0]) for prompt, found in zip(subject.prompts, subject.answers, strict=True)]
    for key, row in zip(keys, subject.rows, strict=True):
        labels.setdefault(key, set()).add(row["label"])
    return [
        finding(
            "answers that are both liked and disliked",
            subject.rows_where(lambda i: len(labels[keys[i]]) > 1),
            len(subject),
            "Same prompt, same answer, both labels: their gradients cancel.",
            "Keep the label of the majority, or none.",
            severity="warning",
        )
    ]


def _run(subject: Subject) -> list[Finding]:
    return _pairs(subject) if subject.records.kind == "pairs" else _unpaired(subject)


CHECKS.add(Check("contradictions", "votes that cannot all be right", _run, kinds=frozenset({"pairs", "unpaired"})))
