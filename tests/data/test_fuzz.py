"""Whatever the rows and the bytes are, loading ends in records or in a DataError, never in another exception."""

import contextlib
import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from tests.data import tokenizers_for_tests as build
from truing.data import load, view
from truing.data.check import check
from truing.data.layouts import LAYOUTS
from truing.data.render import render
from truing.errors import DataError

text = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "\n\nHuman: a\n\nAssistant: b", "A>B", "yes", "true", "nan", "\ud800", "1.5", "[]"]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(10**300, 10**310),
    st.floats(width=32),
    text,
)
message = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"role": st.sampled_from(["user", "assistant", "system", "king", 3]), "content": scalars}
    ),
    st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt"]), "value": text}),
    scalars,
)
values = st.one_of(
    scalars,
    st.lists(message, max_size=4),
    st.lists(scalars, max_size=6),
    st.lists(st.lists(scalars, max_size=3), max_size=3),
    st.dictionaries(
        st.sampled_from(["response", "overall_score", "solution", "is_correct", "a"]), scalars, max_size=3
    ),
    st.lists(st.dictionaries(st.sampled_from(["response", "overall_score", "annotations"]), scalars), max_size=3),
)
NAMES = sorted({name for layout in LAYOUTS for name in layout.known} | {"unknown"})


@st.composite
def rows_of_a_layout(draw):
    """A few good rows of one layout, with some cells replaced by anything."""
    layout = draw(st.sampled_from(list(LAYOUTS)))
    found = []
    for _ in range(draw(st.integers(1, 4))):
        row = dict(layout.example)
        for name in draw(st.lists(st.sampled_from([*layout.needs, *layout.uses]), max_size=3)):
            row[name] = draw(values)
        for name in draw(st.lists(st.sampled_from(NAMES), max_size=1)):
            row.pop(name, None)
        found.append(row)
    return found


relaxed = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@st.composite
def readable_rows(draw):
    """Rows of one kind that load, whatever their texts say."""
    words = st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.sampled_from(["", " ", "a", "a b c"])
    )
    kind = draw(st.sampled_from(["pairs", "unpaired", "ranked", "demonstrations"]))
    chat = draw(st.booleans())

    def row():
        found = {
            "prompt": [{"role": draw(st.sampled_from(["user", "assistant"])), "content": draw(words)}]
            if chat
            else draw(words)
        }
        if kind == "pairs":
            found |= {"chosen": draw(words), "rejected": draw(words)}
            if draw(st.booleans()):
                found["annotator"] = draw(st.sampled_from(["x", "y"]))
        elif kind == "ranked":
            answers = draw(st.lists(words, min_size=2, max_size=3))
            found |= {"completions": answers, "scores": [draw(st.integers(0, 2)) for _ in answers]}
        else:
            found["completion"] = draw(words)
            if kind == "unpaired":
                found["label"] = draw(st.booleans())
        return found

    return [row() for _ in range(draw(st.integers(1, 5)))]


def attempt(source, **options):
    try:
        records = load(source, **options)
    except DataError as error:
        shown = str(error)
    else:
        shown = ""
    assert len(shown) < 4000, "an error has to fit on a screen"
    if shown:
        return
    assert len(records) > 0
    assert len(records.fingerprint) == 32


@relaxed
@given(rows_of_a_layout())
def test_rows_of_a_layout_with_broken_cells(rows):
    attempt(rows)


@relaxed
@given(st.lists(st.one_of(st.dictionaries(st.sampled_from(NAMES), values, max_size=6), scalars), max_size=4))
def test_any_rows(rows):
    attempt(rows)


@relaxed
@given(rows=rows_of_a_layout(), layout=st.sampled_from([layout.name for layout in LAYOUTS]))
def test_rows_under_another_layout(rows, layout):
    attempt(rows, layout=layout)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.jsonl.gz"])
@relaxed
@given(data=st.data())
def test_any_bytes(tmp_path, name, data):
    good = b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n'
    fragments = [
        good,
        b"[",
        b"]",
        b",",
        b'"',
        b"\xff",
        b"\n",
        b"prompt,chosen,rejected\n",
        b"1,2,3\n",
        b"{}",
        b"\0",
    ]
    content = b"".join(data.draw(st.lists(st.sampled_from(fragments), max_size=8)))
    if name.endswith(".gz"):
        content = gzip.compress(content)
        cut = data.draw(st.integers(0, len(content)))
        content = content[:cut] + data.draw(st.binary(max_size=4)) + content[cut + 2 :]
    path = tmp_path / name
    path.write_bytes(content)
    attempt(path)


@relaxed
@given(rows=rows_of_a_layout())
def test_quarantine_holds_every_row_that_is_not_kept(tmp_path, rows):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    target = tmp_path / "q.jsonl"
    target.unlink(missing_ok=True)
    try:
        records = load(path, on_bad_row="quarantine", quarantine_path=target)
    except DataError:
        return
    kept = {row["id"].split("/")[0] for row in records}
    aside = [json.loads(line) for line in target.read_text().splitlines()] if target.exists() else []
    assert len(aside) == records.quarantined
    skipped = {number for count in records.skipped for number in count.ids}
    lines = {entry["where"].rsplit(":", 1)[1] for entry in aside}
    named = {str(row["id"]) for row in rows if row.get("id") is not None} | {
        str(row[key]) for row in rows for key in ("pair_id", "ID") if row.get(key)
    }
    if not named:  # rows with ids of their own are not known by their line
        assert kept | skipped | lines == {str(number + 1) for number in range(len(rows))}
        assert not kept & lines


@settings(relaxed, max_examples=25)
@given(rows=readable_rows(), other=readable_rows())
def test_checks_and_tokenisation_take_any_text(rows, other):
    records = load(rows)
    for tokenizer in (None, build.llama_3()):
        report = check(records, tokenizer=tokenizer, other_splits={"other": load(other)}, max_length=20)
        json.dumps(report.as_dict(), allow_nan=False)
        Console(file=io.StringIO(), width=100).print(render(report))
    for kind in ("pairs", "unpaired", "demonstrations"):
        with contextlib.suppress(DataError):
            assert len(view(records, {kind})) > 0
