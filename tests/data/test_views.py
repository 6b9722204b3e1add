"""Views between kinds of data, against rows written by hand."""

import pytest

from truing.data import load, view
from truing.errors import DataError
from truing.objectives import METHODS

PAIRS = [
    {"prompt": "p", "chosen": "a", "rejected": "b", "weight": 2.0, "margin": 1.5},
    {"prompt": "q", "chosen": "c", "rejected": "d", "weight": 1.0, "margin": 0.5},
]
RANKED = [
    {"prompt": "p", "completions": ["a", "b", "c"], "scores": [2.0, 5.0, 1.0]},
    {"prompt": "q", "completions": ["d", "e"], "scores": [3.0, 3.0]},
]
UNPAIRED = [
    {"prompt": "p", "completion": "a", "label": True},
    {"prompt": "q", "completion": "b", "label": False},
]
DEMONSTRATIONS = [{"prompt": "p", "completion": "a"}]


def table(records, *names):
    return [tuple(row[name] for name in names) for row in records]


def test_an_accepted_kind_is_left_alone():
    records = load(PAIRS)
    assert view(records, {"unpaired", "pairs"}) is records


def test_pairs_to_unpaired():
    records = view(load(PAIRS), {"unpaired"})
    assert records.kind == "unpaired"
    assert table(records, "id", "prompt", "completion", "label", "weight") == [
        ("1/chosen", "p", "a", True, 2.0),
        ("1/rejected", "p", "b", False, 2.0),
        ("2/chosen", "q", "c", True, 1.0),
        ("2/rejected", "q", "d", False, 1.0),
    ]
    assert "margin" not in records.columns  # it is about the pair
    assert "chosen as liked" in records.notes[-1]


def test_ranked_to_best_against_worst():
    records = view(load(RANKED), {"pairs"})
    assert table(records, "id", "prompt", "chosen", "rejected", "margin") == [("1", "p", "b", "c", 4.0)]
    # the second row's answers are equally good
    assert records.notes[-1] == "1 × row that gives none (row 2)"


def test_ranked_to_all_pairs():
    records = view(load(RANKED), {"pairs"}, ranked_as="all-pairs")
    assert table(records, "id", "chosen", "rejected", "margin") == [
        ("1/1>3", "a", "c", 1.0),
        ("1/2>1", "b", "a", 3.0),
        ("1/2>3", "b", "c", 4.0),
    ]


def test_ranked_to_unpaired_by_the_mean_of_the_row():
    records = view(load(RANKED), {"unpaired"})
    # mean of 2, 5, 1 is 2.67; both answers of the second row are at their mean and say nothing
    assert table(records, "id", "completion", "label") == [
        ("1/1", "a", False),
        ("1/2", "b", True),
        ("1/3", "c", False),
    ]
    assert "mean score of its row" in records.notes[-2]


def test_ranked_to_unpaired_by_a_threshold():
    records = view(load(RANKED), {"unpaired"}, threshold=2.5)
    assert table(records, "completion", "label") == [
        ("a", False),
        ("b", True),
        ("c", False),
        ("d", True),
        ("e", True),
    ]


def test_right_and_wrong_answers_need_no_threshold():
    rows = [{"prompt": "p", "completions": ["a", "b"], "scores": [1, 1]}]
    records = view(load(rows), {"unpaired"})
    assert table(records, "completion", "label") == [("a", True), ("b", True)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(PAIRS, [("p", "a"), ("q", "c")]), (RANKED, [("p", "b"), ("q", "d")]), (UNPAIRED, [("p", "a")])],
)
def test_to_demonstrations(rows, expected):
    records = view(load(rows), {"demonstrations"})
    assert table(records, "prompt", "completion") == expected


@pytest.mark.parametrize(
    ("rows", "accepted", "fix"),
    [
        (UNPAIRED, {"pairs"}, "unpaired or demonstrations data"),
        (UNPAIRED, {"ranked"}, "unpaired or demonstrations data"),
        (DEMONSTRATIONS, {"pairs"}, "such as sft"),
        (PAIRS, {"ranked"}, "pairs or demonstrations or unpaired data"),
    ],
)
def test_what_cannot_be_made(rows, accepted, fix):
    with pytest.raises(DataError, match="cannot learn from") as caught:
        view(load(rows), accepted)
    assert f"data of the kind {next(iter(accepted))}" in str(caught.value)
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (PAIRS, [("p", "b"), ("q", "d")]),
        (RANKED, [("p", "c"), ("q", "d")]),
        (UNPAIRED, [("q", "b")]),
    ],
)
def test_to_unwanted(rows, expected):
    records = view(load(rows), {"unwanted"})
    assert table(records, "prompt", "completion") == expected


def test_nothing_left():
    with pytest.raises(DataError, match="no row is left: only the liked answers"):
        view(load(UNPAIRED[1:]), {"demonstrations"})


@pytest.mark.parametrize(
    "method", [m for m in METHODS if "online" not in m.requires], ids=lambda method: method.name
)
def test_ranked_data_serves_every_objective(method):
    accepted = method().data
    assert view(load(RANKED), accepted).kind in accepted


def test_messages_stay_messages(write):
    rows = [{"prompt": [{"role": "user", "content": "p"}], "chosen": "a", "rejected": "b"}]
    records = view(load(rows), {"unpaired"})
    assert records.conversational
    assert records.dataset[1]["completion"] == [{"role": "assistant", "content": "b"}]


def test_streamed_records(write):
    records = view(load(write(PAIRS), streaming=True), {"unpaired"})
    assert records.streaming
    assert table(records, "id", "label", "weight")[:2] == [("1/chosen", True, 2.0), ("1/rejected", False, 2.0)]


def test_fingerprint_depends_on_the_view():
    records = load(RANKED)
    prints = {view(records, {kind}).fingerprint for kind in ("pairs", "unpaired", "demonstrations")}
    assert len(prints | {records.fingerprint}) == 4
