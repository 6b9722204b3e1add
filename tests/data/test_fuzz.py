"""Whatever the rows and the bytes are, loading ends in records or in a DataError, never in another exception."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truing.data import load
from truing.data.layouts import LAYOUTS
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
