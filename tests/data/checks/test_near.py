"""Near duplicates against the definition: all pairs, exact Jaccard similarity."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.data.checks.near import SIMILAR, NearDuplicates, jaccard, normalised

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "omicron",
]


def shingles(text):
    words = normalised(text).split()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)} or {normalised(text)}


def similarity(one, other):
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def corpus(count, seed):
    """Texts of 30 words, every second one a copy of an earlier one with a few words changed."""
    rng = np.random.default_rng(seed)
    texts = []
    for number in range(count):
        if number % 2 and texts:
            words = texts[rng.integers(len(texts))].split()
            for place in rng.integers(0, len(words), rng.integers(0, 4)):
                words[place] = f"new{rng.integers(1000)}"
        else:
            words = [f"{WORDS[k]}{rng.integers(50)}" for k in rng.integers(0, len(WORDS), 30)]
        texts.append(" ".join(words))
    return texts


def test_all_close_pairs_are_found():
    texts = corpus(300, seed=3)
    group = NearDuplicates(texts).group
    close = [(i, j) for i in range(300) for j in range(i) if similarity(texts[i], texts[j]) >= SIMILAR]
    assert len(close) > 50
    assert all(group[i] == group[j] for i, j in close)
    # and a text that is alone by the definition is alone here
    near = {i for pair in close for i in pair}
    sizes = np.bincount(group, minlength=300)
    assert all(sizes[group[i]] == 1 for i in range(300) if i not in near)


def test_exact_similarity_agrees_with_sets():
    texts = corpus(60, seed=4)
    near = NearDuplicates(texts)
    for i in range(0, 60, 3):
        for j in range(i):
            found = jaccard(near.shingles(normalised(texts[i])), near.shingles(normalised(texts[j])))
            assert abs(found - similarity(texts[i], texts[j])) < 1e-12


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20))
def test_equal_texts_share_a_group(texts):
    group = NearDuplicates(texts).group
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            if normalised(one) == normalised(other):
                assert group[i] == group[j]


def test_case_and_punctuation_do_not_count():
    assert normalised("Don't  PANIC — it's 42!") == "don t panic it s 42"
