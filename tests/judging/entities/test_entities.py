"""Entity alignment: graphs, what a judge is shown, shortlists, votes. No real knowledge graph is at hand: the graphs
are written by hand, or derived from the titles and genres of MovieLens."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.judging.judges import Scripted
from truing.errors import DataError, TruingError
from truing.judging.entities import (
    Graph,
    LetterChooser,
    Question,
    TextChooser,
    hits,
    llm_align,
    measured,
    read_graph,
)
from truing.judging.entities.alignment import Link, _matched
from truing.judging.entities.selection import chosen_attributes, chosen_relations
from truing.judging.entities.shortlist import lexical_scores, read_scores, shortlist
from truing.rewards.judges.local import load_policy
from truing.worlds.knowledge import Oracle, two_graphs

FILMS = [
    ("f/1", "title", "Toy Story"),
    ("f/1", "year", "1995"),
    ("f/2", "title", "Heat"),
    ("f/2", "year", "1995"),
    ("p/1", "name", "Lasseter"),
    ("f/1", "director", "p/1"),
    ("f/3", "title", "Cars"),
    ("f/3", "year", "2006"),
    ("f/3", "director", "p/1"),
]
OTHERS = [
    ("x#Toy_Story_(film)", "label", "Toy Story, the film"),
    ("x#Toy_Story_(film)", "released", "1995"),
    ("x#Cars", "label", "Cars (film)"),
    ("x#Heat", "label", "Heat"),
    ("x#JL", "label", "John Lasseter"),
    ("x#Toy_Story_(film)", "by", "x#JL"),
]
GOLD = {"f/1": "x#Toy_Story_(film)", "f/2": "x#Heat", "f/3": "x#Cars", "p/1": "x#JL"}


def test_a_graph_by_hand() -> None:
    """Two of three films are of 1995: functionality of year 3/3, of its inverse 2/3; two films have one director."""
    graph = Graph.of(FILMS)
    assert graph.relations == (("f/1", "director", "p/1"), ("f/3", "director", "p/1"))
    assert graph.entities == ("f/1", "f/2", "p/1", "f/3")
    assert graph.functionality["year"] == 1.0
    assert graph.inverse_functionality["year"] == pytest.approx(2 / 3)
    assert graph.functionality["director"] == 1.0
    assert graph.inverse_functionality["director"] == 0.5
    assert (graph.name("f/1"), graph.name("x#Toy_Story")) == ("Toy Story", "Toy Story")


def test_attributes_that_identify_come_first() -> None:
    """Genre has 2 subjects in 4 triples, year 3 in 3, and the note is had by nobody else."""
    graph = Graph.of(
        [*FILMS, ("f/1", "genre", "a"), ("f/1", "genre", "b"), ("f/2", "genre", "a"), ("f/2", "genre", "c")]
    )
    graph = Graph(graph.relations, (*graph.attributes, ("f/1", "note", "x")))
    found = chosen_attributes(graph, "f/1", ["f/1", "f/2"], 5)
    assert [attribute for _, attribute, _ in found] == ["title", "year", "genre", "genre", "note"]
    assert len(chosen_attributes(graph, "f/1", [], 2)) == 2


def test_known_neighbours_come_first() -> None:
    graph = Graph.of([*FILMS, ("f/1", "like", "f/2")])
    assert [other for _, other in chosen_relations(graph, "f/1", {}, 5)] == ["f/2", "p/1"]
    assert [other for _, other in chosen_relations(graph, "f/1", {"p/1": "x#JL"}, 5)] == ["p/1", "f/2"]
    # An incoming relation has its neighbour at the other end.
    assert {other for _, other in chosen_relations(graph, "p/1", {}, 5)} == {"f/1", "f/3"}


def test_what_a_judge_reads() -> None:
    source, target = Graph.of(FILMS), Graph.of(OTHERS)
    question = Question(source, target, "f/1", ("x#Heat", "x#Toy_Story_(film)"), "relations", {"p/1": "x#JL"})
    text = question.messages()[1]["content"]
    assert "director: Lasseter (known in both graphs)" in text
    assert "by: John Lasseter (known in both graphs)" in text
    assert [question.read(f'{{"choice": {said}}}') for said in ("1", '"2"', "0", "3", "true")] == [
        0,
        1,
        -1,
        None,
        None,
    ]


def test_lexical_scores_find_names() -> None:
    source, target = Graph.of(FILMS), Graph.of(OTHERS)
    best = shortlist(lexical_scores(source, target), 1)
    assert {entity: target.entities[own[0]] for entity, own in zip(source.entities, best, strict=True)} == GOLD


def test_a_shortlist_leaves_out_what_has_no_score() -> None:
    assert shortlist(np.array([[0.1, -np.inf, 0.3], [-np.inf] * 3]), 2) == [[2, 0], []]


def test_votes_by_hand() -> None:
    """The judge says 2, 2 of three rounds in the embedder's order: the second candidate, after two questions."""
    world = two_graphs(np.random.default_rng(0), 6, k=3)
    found = llm_align(Always(1), world.source, world.target, scores=world.scores, k=3, shuffled=False)
    assert {link.target == link.candidates[1] for link in found.links} == {True}
    assert found.asked == 2 * 6
    assert {link.stage for link in found.links} == {"attributes"}


def test_invalid_votes_are_discarded_and_the_embedder_decides() -> None:
    world = two_graphs(np.random.default_rng(0), 6, k=3)
    found = llm_align(Always(None), world.source, world.target, scores=world.scores, k=3)
    assert {link.stage for link in found.links} == {"embedder"}
    assert all(link.target == link.candidates[0] for link in found.links)
    assert {link.invalid for link in found.links} == {6}
    assert measured(found, {})["invalid"] == 36


def test_nobody_can_be_the_partner() -> None:
    world = two_graphs(np.random.default_rng(0), 6, k=3)
    found = llm_align(Always(-1), world.source, world.target, scores=world.scores, k=3)
    assert found.pairs == {}
    assert hits(found, world.gold).value == 0.0


def test_undecided_entities_are_asked_about_relations() -> None:
    world = two_graphs(np.random.default_rng(1), 8, k=3)
    judge = ByStage(world.gold)
    found = llm_align(judge, world.source, world.target, scores=world.scores, k=3, rounds=2, threshold=1.0)
    assert hits(found, world.gold).value == 1.0
    assert {link.stage for link in found.links} <= {"attributes", "relations"}
    assert "relations" in {link.stage for link in found.links}


def test_orders_depend_on_the_entity_alone() -> None:
    world = two_graphs(np.random.default_rng(2), 8, k=3)

    def orders(entities):
        judge = Noting()
        llm_align(judge, world.source, world.target, entities=entities, scores=world.scores, k=3, rounds=1)
        return judge.seen

    every, some = orders(None), orders(["s3", "s5"])
    assert {key: every[key] for key in some} == some
    assert len({tuple(order) for order in every.values()}) > 1


def test_what_cannot_be_aligned() -> None:
    world = two_graphs(np.random.default_rng(0), 6, k=3)
    for options, message in (
        ({"k": 0}, "k = 0"),
        ({"k": 27}, "allowed: 1 to 26"),
        ({"rounds": 0}, "rounds = 0"),
        ({"threshold": 1.5}, "threshold = 1.5"),
        ({"entities": ["nobody"]}, "'nobody' is no entity of the source"),
        ({"scores": np.zeros((2, 2))}, r"scores have the shape \[2, 2\]"),
    ):
        with pytest.raises(TruingError, match=message):
            llm_align(Always(0), world.source, world.target, **{"scores": world.scores, **options})


def test_files_of_triples(tmp_path: Path) -> None:
    (tmp_path / "attributes.tsv").write_text("a\tname\tAnna\nb\tname\tBert\n", encoding="utf-8")
    (tmp_path / "relations.jsonl").write_text(
        '{"subject": "a", "predicate": "knows", "object": "b"}\n', encoding="utf-8"
    )
    graph = read_graph(tmp_path)
    assert graph.relations == (("a", "knows", "b"),)
    assert graph.name("a") == "Anna"
    broken = tmp_path / "broken.tsv"
    broken.write_text("a\tname\tAnna\na\tname\n", encoding="utf-8")
    with pytest.raises(DataError, match="2 fields, 2 of them with text, are no triple") as error:
        read_graph(broken)
    assert error.value.where == f"{broken}:2"
    with pytest.raises(DataError, match="cannot be read"):
        read_graph(tmp_path / "none.tsv")
    scores = tmp_path / "scores.csv"
    scores.write_text("source,target,score\na,b,0.5\nz,b,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="no score of an entity") as error:
        read_scores(scores, graph, graph)
    assert error.value.where == f"{scores}:2"


def test_choosers_of_words_and_of_letters() -> None:
    source, target = Graph.of(FILMS), Graph.of(OTHERS)
    questions = [
        Question(source, target, "f/1", options, "attributes", {})
        for options in (("x#Heat", "x#JL"), ("x#Heat", "x#JL", "x#Toy_Story_(film)"))
    ]
    chat = Scripted(lambda question: '{"choice": 3}')
    assert TextChooser(chat)(questions) == [None, 2]
    found = LetterChooser(load_policy("truing/tiny"))(questions)
    assert all(choice in range(len(question.options)) for choice, question in zip(found, questions, strict=True))


def test_films_of_two_catalogues(shared_data: Path) -> None:
    """MovieLens titles, and the same without year and article: names find most, a judge that knows finds the rest."""
    with (shared_data / "movielens/movies.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for _, row in zip(range(80), csv.DictReader(stream), strict=False)]
    source = Graph.of((f"m{row['movieId']}", key, row[key]) for row in rows for key in ("title", "genres"))
    target = Graph.of(
        (f"n{row['movieId']}", key, value)
        for row in rows
        for key, value in (
            ("label", row["title"].rpartition(" (")[0].partition(",")[0].lower()[::2]),
            ("kind", row["genres"].partition("|")[0]),
        )
    )
    gold = {f"m{row['movieId']}": f"n{row['movieId']}" for row in rows}
    found = measured(llm_align(Oracle(gold), source, target, k=8), gold)
    assert found["recall"].value == found["hits"].value
    assert found["embedder"].value < found["hits"].value
    assert found["gain"].low > 0


class Always:
    """Says one thing."""

    name = "always"

    def __init__(self, choice: int | None) -> None:
        self.choice = choice

    def __call__(self, questions):
        return [self.choice for _ in questions]


class ByStage:
    """Takes turns over attributes, and knows the partner from relations."""

    name = "by stage"

    def __init__(self, gold) -> None:
        self.gold = gold
        self.rounds = 0

    def __call__(self, questions):
        self.rounds += 1
        if questions and questions[0].stage == "attributes":
            return [
                (question.options.index(self.gold[question.entity]) + self.rounds - 1) % len(question.options)
                for question in questions
            ]
        return Oracle(self.gold)(questions)


class Noting:
    """Keeps the order of options by entity."""

    name = "noting"

    def __init__(self) -> None:
        self.seen = {}

    def __call__(self, questions):
        self.seen |= {
            question.entity: question.options for question in questions if question.stage == "attributes"
        }
        return [0 for _ in questions]


def test_who_has_no_partner_keeps_no_target_from_others() -> None:
    """a's votes and score for x add up to 1/3 + 0.9, b's to 1 + 0.1; but the judge says that x is not a's partner."""
    links = [Link("a", None, "attributes", ("x",), {-1: 2, 0: 1}, 0), Link("b", "x", "embedder", ("x",), {}, 0)]
    found = _matched(links, np.array([[0.9], [0.1]]), Graph.of([("x", "is", "here")]))
    assert [link.target for link in found] == [None, "x"]
