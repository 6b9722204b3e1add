"""Fictitious authors and the questions about them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError
from truing.unlearning.authors import MOST_AUTHORS, POOLS, make_authors
from truing.unlearning.questions import WORDINGS, WRONG_ANSWERS, questions_about


def test_the_seed_decides_and_more_authors_do_not_change_the_first():
    assert make_authors(5, seed=3) == make_authors(30, seed=3)[:5]
    assert make_authors(5, seed=3) != make_authors(5, seed=4)


def test_names_and_titles_are_unique_however_many_there_are():
    authors = make_authors(MOST_AUTHORS)
    assert len({author.name for author in authors}) == MOST_AUTHORS == 300
    assert len({title for author in authors for title in author.books}) == 900


@given(st.integers(0, 1000))
def test_facts_agree_with_each_other(seed):
    for author in make_authors(10, seed):
        facts = author.facts
        born = int(facts["birth date"].split()[-1])
        assert born + 20 <= int(facts["debut year"]) < int(facts["award year"])
        assert facts["home"] != facts["birthplace"]
        assert facts["mentor"] != author.name
        assert (facts["first book"], facts["famous book"], facts["latest book"]) == author.books
        assert all(facts[fact] in pool for fact, pool in POOLS.items())


def test_right_answers_hold_the_fact_and_wrong_ones_another():
    for author in make_authors(30):
        for wording, item in zip(WORDINGS, questions_about(author), strict=True):
            truth = author.facts[wording.fact]
            assert truth in item.answer
            assert truth in item.paraphrased_answer
            assert item.answer != item.paraphrased_answer
            assert item.question != item.paraphrased_question
            assert len(set(item.perturbed_answer)) == WRONG_ANSWERS
            assert item.paraphrased_answer not in item.perturbed_answer
            frame = item.paraphrased_answer.split(truth)
            for wrong in item.perturbed_answer:
                # right and wrong differ in the fact alone
                assert wrong.startswith(frame[0])
                assert wrong.endswith(frame[-1])
            assert "{" not in repr(item.as_dict()).replace("{'", "")
            assert author.name in item.question


def test_wrong_books_are_not_the_authors_own_and_wrong_years_are_near():
    for author in make_authors(60):
        for wording, item in zip(WORDINGS, questions_about(author), strict=True):
            for wrong in item.perturbed_answer:
                if wording.fact.endswith("book"):
                    assert re.search('"(.*)"', wrong).group(1) not in author.books
                if wording.fact.endswith("year"):
                    assert 1 <= abs(int(re.search(r"\d{4}", wrong).group()) - int(author.facts[wording.fact])) < 12


def test_twenty_facts_are_asked_in_different_words():
    assert len(WORDINGS) == len({wording.fact for wording in WORDINGS}) == 20
    questions = [questions_about(author) for author in make_authors(20)]
    # "X" for the names: the same fact is not always asked alike
    shapes = {re.sub(r"[A-Z][a-z]+ [A-Z][a-z]+", "X", asked[1].question) for asked in questions}
    assert shapes == {"When was X born?", "What is the birth date of X?"}


@pytest.mark.parametrize("count", [0, -1, MOST_AUTHORS + 1])
def test_an_impossible_number_of_authors_is_refused(count):
    with pytest.raises(DataError, match=f"{count} authors cannot be made"):
        make_authors(count)


@pytest.mark.parametrize("count", [0, 21])
def test_an_impossible_number_of_questions_is_refused(count):
    with pytest.raises(DataError, match=r"1 to 20"):
        questions_about(make_authors(1)[0], count)
