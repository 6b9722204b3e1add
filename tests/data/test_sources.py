"""Loading: formats, splits, limits, and an error for each thing that can be wrong with a file."""

import gzip
import json
import zlib

import datasets
import pyarrow as pa
import pyarrow.parquet
import pytest

import truing.data.hub
import truing.data.table
from truing.data import load
from truing.errors import DataError

ROWS = [{"prompt": f"p{i}", "chosen": f"c{i}\né", "rejected": f'r{i}, "x"'} for i in range(5)]
STANDARD = [{"id": str(i + 1), **row} for i, row in enumerate(ROWS)]


def rows(records):
    names = ("id", "prompt", "chosen", "rejected")
    return [{name: row[name] for name in names} for row in records]


def csv_text(delimiter=","):
    def quote(cell):
        return '"' + cell.replace('"', '""') + '"'

    lines = [delimiter.join(ROWS[0])]
    lines += [delimiter.join(quote(cell) for cell in row.values()) for row in ROWS]
    return "\n".join(lines) + "\n"


def test_a_slip_in_a_column_name_is_refused(write):
    path = write([{"promt": "a", "chosen": "b", "rejected": "c"}])
    with pytest.raises(DataError, match=r"'promt' would not be read, and there is no 'prompt'"):
        load(path)
    assert load(path, columns={"prompt": "promt"}).dataset["prompt"] == ["a"]


def test_columns_with_other_names_are_left_alone(write):
    # "prompt_id" is near to "prompt", which is there; "source_url" is near to nothing that is missing.
    records = load(write([{"prompt": "a", "chosen": "b", "rejected": "c", "prompt_id": "7", "source_url": "x"}]))
    assert records.dataset["prompt"] == ["a"]


class TestFormats:
    @pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz"])
    def test_json(self, write, name):
        assert rows(load(write(ROWS, name))) == STANDARD

    @pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv.gz", ",")])
    def test_delimited(self, tmp_path, name, delimiter):
        data = csv_text(delimiter).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        assert rows(load(tmp_path / name)) == STANDARD

    @pytest.mark.parametrize("name", ["a.parquet", "a.parquet.gz"])
    def test_parquet(self, tmp_path, name):
        sink = pa.BufferOutputStream()
        pa.parquet.write_table(pa.Table.from_pylist(ROWS), sink)
        data = sink.getvalue().to_pybytes()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        assert rows(load(str(tmp_path / name))) == STANDARD

    def test_one_object_a_line_in_a_json_file(self, tmp_path):
        (tmp_path / "a.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        assert rows(load(tmp_path / "a.json")) == STANDARD

    def test_a_list_inside_an_object(self, tmp_path):
        (tmp_path / "a.json").write_text(json.dumps({"data": ROWS}))
        assert rows(load(tmp_path / "a.json")) == STANDARD

    def test_byte_order_mark_and_blank_lines(self, tmp_path):
        lines = [json.dumps(ROWS[0]), "", json.dumps(ROWS[1])]
        (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
        assert load(tmp_path / "a.jsonl").dataset["id"][:] == ["1", "3"]  # ids are line numbers

    def test_message_lists_in_csv_cells(self, tmp_path):
        prompt = json.dumps([{"role": "user", "content": "a"}]).replace('"', '""')
        (tmp_path / "a.csv").write_text(f'prompt,chosen,rejected\n"{prompt}",b,c\n')
        assert load(tmp_path / "a.csv").dataset[0]["prompt"] == [{"role": "user", "content": "a"}]

    def test_numbers_and_flags_in_csv_cells(self, tmp_path):
        (tmp_path / "a.csv").write_text("prompt,completion,label,weight\n1,2,True,0.5\n3,4,0,2\n")
        records = load(tmp_path / "a.csv")
        assert records.dataset["label"][:] == [True, False]
        assert records.dataset["weight"][:] == [0.5, 2.0]
        assert records.dataset["prompt"][:] == ["1", "3"]

    def test_in_memory(self):
        assert rows(load(ROWS)) == STANDARD
        assert rows(load(datasets.Dataset.from_list(ROWS))) == STANDARD
        assert rows(load(datasets.Dataset.from_list(ROWS).to_pandas())) == STANDARD

    def test_dictionary_of_splits(self):
        splits = datasets.DatasetDict(
            train=datasets.Dataset.from_list(ROWS), test=datasets.Dataset.from_list(ROWS[:1])
        )
        assert len(load(splits, split="test")) == 1
        with pytest.raises(DataError, match="several splits") as caught:
            load(splits)
        assert caught.value.fix == "data.split: train"


class TestFiles:
    def test_a_folder_is_read_in_order_with_ids_by_file(self, write):
        write(ROWS[:2], "d/a.jsonl")
        path = write(ROWS[2:3], "d/b/c.jsonl")
        assert load(path.parent.parent).dataset["id"][:] == ["a.jsonl:1", "a.jsonl:2", "b/c.jsonl:1"]

    def test_a_glob(self, write, tmp_path):
        write(ROWS[:2], "d/a.jsonl")
        write(ROWS[2:], "d/b.jsonl")
        assert len(load(f"{tmp_path}/d/*.jsonl")) == 5
        with pytest.raises(DataError, match="no data files"):
            load(f"{tmp_path}/d/*.parquet")

    def test_splits_are_words_of_file_names(self, write):
        write(ROWS[:2], "d/my-train.jsonl")
        path = write(ROWS[2:], "d/dev.jsonl")
        assert len(load(path.parent, split="train")) == 2
        assert len(load(path.parent, split="validation")) == 3
        with pytest.raises(DataError, match="several splits: train, validation"):
            load(path.parent)
        with pytest.raises(DataError, match="no file belongs to the split 'test'"):
            load(path.parent, split="test")

    def test_a_split_of_a_single_file_is_refused(self, write):
        with pytest.raises(DataError, match="a single file has no splits"):
            load(write(ROWS), split="train")

    def test_layouts_may_not_be_mixed(self, write):
        write(ROWS, "d/a.jsonl")
        path = write([{"prompt": "a", "completion": "b", "label": True}], "d/b.jsonl")
        with pytest.raises(DataError, match="different layouts") as caught:
            load(path.parent)
        assert "a.jsonl is 'pairs'" in str(caught.value)
        assert "b.jsonl is 'unpaired'" in str(caught.value)

    def test_a_missing_file_suggests_its_neighbours(self, write):
        path = write(ROWS, "train.jsonl")
        with pytest.raises(DataError, match=r"did you mean 'train\.jsonl'"):
            load(path.with_name("trian.jsonl"))

    def test_a_relative_path_that_is_missing_is_no_hub_name(self, write, monkeypatch):
        monkeypatch.chdir(write(ROWS, "data/train.jsonl").parent.parent)
        with pytest.raises(DataError, match="no such file or folder"):
            load("data/trian.jsonl")

    @pytest.mark.parametrize("source", ["", "a\0b", "x" * 5000, "/", "~nobody-at-all/x"])
    def test_odd_paths(self, source, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        if source == "/":
            source = str(tmp_path)
        with pytest.raises(DataError):
            load(source)

    @pytest.mark.parametrize(("name", "reason"), [("a.pkl", "a pickle can run code"), ("a.txt", "are not read")])
    def test_other_files(self, tmp_path, name, reason):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(DataError, match=reason):
            load(tmp_path / name)

    def test_offline_hub_is_told_at_once(self, monkeypatch):
        def unknown(*args, **kwargs):
            raise OSError("Name or service not known")

        monkeypatch.setattr("socket.getaddrinfo", unknown)
        monkeypatch.setattr(truing.data.hub, "getproxies", dict)
        monkeypatch.setattr(datasets, "load_dataset", None)  # would raise if it were called
        with pytest.raises(DataError, match="hub cannot be reached"):
            load("some-owner/some-data")

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' doesn't exist on the Hub"), "neither a file"),
            (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' is a gated dataset"), "private or gated"),
            (RuntimeError("Dataset scripts are no longer supported, but found b.py"), "code of its own"),
            (ValueError("Unknown split 'trian'. Should be one of ['train']."), "no such split"),
            (KeyError("something new"), "cannot be loaded: KeyError"),
        ],
    )
    def test_errors_of_the_hub(self, monkeypatch, error, reason):
        def fails(*args, **kwargs):
            raise error

        monkeypatch.setattr(truing.data.hub, "_is_reachable", lambda: True)
        monkeypatch.setattr(datasets, "load_dataset", fails)
        with pytest.raises(DataError, match=reason):
            load("a/b")

    def test_hub_data_runs_no_code_and_is_read_like_any_other(self, monkeypatch):
        asked = {}

        def found(source, **options):
            asked.update(options, source=source)
            return datasets.Dataset.from_list(ROWS)

        monkeypatch.setattr(truing.data.hub, "_is_reachable", lambda: True)
        monkeypatch.setattr(datasets, "load_dataset", found)
        assert rows(load("a/b", split="train[:5]", name="main")) == STANDARD
        assert asked == {"source": "a/b", "split": "train[:5]", "name": "main", "streaming": False}

    def test_offline_hub(self, monkeypatch):
        def unreachable(*args, **kwargs):
            raise ConnectionError("Couldn't reach 'a/b' on the Hub")

        monkeypatch.setattr(truing.data.hub, "_is_reachable", lambda: True)
        monkeypatch.setattr(datasets, "load_dataset", unreachable)
        with pytest.raises(DataError, match="hub cannot be reached") as caught:
            load("some-owner/some-data")
        assert "local file" in caught.value.fix


def broken(tmp_path, data, name="a.jsonl"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


GOOD = json.dumps(ROWS[0]).encode() + b"\n"


class TestFaults:
    @pytest.mark.parametrize(
        ("data", "place", "reason"),
        [
            (GOOD + b'{"prompt": "caf\xe9"}\n', ":2", r"not UTF-8 \(byte 16 is 0xe9\)"),
            (GOOD + b'{"prompt": "a", \n', ":2", "not JSON: Expecting property name"),
            (GOOD + b"\n\n[1, 2]\n", ":4", "the row is a list, not an object"),
            (GOOD + b"3\n", ":2", "the row is a number"),
            (GOOD + b'{"prompt": null, "chosen": "a", "rejected": "b"}\n', ":2", "`prompt` is null"),
            (GOOD + b'{"prompt": "a", "chosen": "b"}\n', ":2", "`rejected` is missing"),
            (GOOD + b'{"prompt": "a", "chosen": 3, "rejected": "b"}\n', ":2", "`chosen` is a number"),
            (GOOD + b'{"prompt": "a", "chosen": "b", "rejected": "\\ud800"}\n', ":2", "half of a surrogate pair"),
            (GOOD + b'{"prompt": "a", "chosen": "b", "rejected": "c", "weight": -1}\n', ":2", "at least 0"),
            (GOOD + b'{"prompt": "a", "chosen": "b", "rejected": "c", "margin": NaN}\n', ":2", "`margin` is nan"),
            (GOOD + b'{"prompt": "a", "chosen": "b", "rejected": "c", "preference": 2}\n', ":2", "probability"),
            (GOOD + b'{"a":' * 100_000 + b"\n", ":2", "nested too deeply|not JSON"),
            (GOOD + b'{"prompt": ' + b"9" * 5000 + b"}\n", ":2", "number that cannot be read"),
            (
                GOOD + b'{"prompt": [], "chosen": "b", "rejected": "c"}\n',
                ":2",
                "`prompt` is a list, not a list of m",
            ),
        ],
    )
    def test_a_bad_line_is_named(self, tmp_path, data, place, reason):
        path = broken(tmp_path, data)
        with pytest.raises(DataError, match=reason) as caught:
            load(path)
        assert caught.value.where.startswith(str(path) + place)
        assert "on_bad_row: quarantine" in caught.value.fix

    def test_ten_megabytes_in_a_row(self, tmp_path):
        row = {"prompt": "p", "chosen": "x" * 10_000_000, "rejected": "r"}
        path = broken(tmp_path, GOOD + json.dumps(row).encode())
        with pytest.raises(DataError, match="10,000,003 characters; at most 4,000,000") as caught:
            load(path)
        assert len(str(caught.value)) < 600

    def test_a_line_without_end_is_not_read_into_memory(self, tmp_path):
        path = broken(tmp_path, GOOD + b'{"prompt": "' + b"x" * 17_000_000 + b'"}\n' + GOOD)
        records = load(path, on_bad_row="quarantine", quarantine_path=tmp_path / "q.jsonl")
        assert (len(records), records.quarantined) == (2, 1)

    def test_further_bad_rows_are_counted(self, tmp_path):
        path = broken(tmp_path, GOOD + b"1\n2\n3\n")
        with pytest.raises(DataError) as caught:
            load(path)
        assert caught.value.where == f"{path}:2; 2 more malformed rows: a.jsonl:3, a.jsonl:4"

    @pytest.mark.parametrize(
        ("name", "data", "reason"),
        [
            ("a.jsonl", b"", "no rows"),
            ("a.jsonl", b"\n \n", "no rows"),
            ("a.json", b"", "no rows"),
            ("a.json", b"[]", "no rows"),
            ("a.json", b'[{"prompt": "a"},\n{"prompt"', "not JSON"),
            ("a.json", b'[{"prompt": "\xff"}]', r"not UTF-8"),
            ("a.json", b'"text"', "holds text, not a list"),
            ("a.json", b'{"a": {"b": 1}}', "object of objects"),
            ("a.json", b"[" * 100_000, "not JSON"),
            ("a.csv", b"", "no rows|cannot be read as a table"),
            ("a.csv", b"prompt,chosen,rejected\n", "no rows"),
            ("a.csv", b"a,a\n1,2\n", "names 'a' twice"),
            ("a.csv", b"prompt,chosen\n1,\xff\n", "not UTF-8"),
            ("a.parquet", b"PAR1 no", "Parquet file is damaged"),
            ("a.parquet", b"", "Parquet file is damaged"),
            ("a.jsonl.gz", b"no gzip", "gzip file is damaged"),
            ("a.jsonl.gz", gzip.compress(GOOD * 1000, mtime=0)[:-20], "gzip file is damaged or cut short"),
            ("a.jsonl.gz", gzip.compress(GOOD, mtime=0)[:10] + b"\xff" * 50, "gzip file is damaged"),
        ],
    )
    def test_a_bad_file_is_named(self, tmp_path, name, data, reason):
        path = broken(tmp_path, data, name)
        for policy in ("error", "quarantine"):
            with pytest.raises(DataError, match=reason) as caught:
                load(path, on_bad_row=policy, quarantine_path=tmp_path / "q.jsonl")
            assert str(path) in str(caught.value)
        assert not (tmp_path / "q.jsonl").exists()

    def test_line_of_the_fault_in_a_json_list(self, tmp_path):
        path = broken(tmp_path, b'[\n{"prompt": "a"},\n{"prompt": }\n]', "a.json")
        with pytest.raises(DataError) as caught:
            load(path)
        assert caught.value.where == f"{path}:3, column 12"

    def test_csv_row_with_a_wrong_number_of_cells(self, tmp_path):
        path = broken(tmp_path, b"prompt,chosen,rejected\n1,2,3\n1,2\n4,5,6\n1,2,3,4\n", "a.csv")
        with pytest.raises(DataError, match="the row has 2 cells, but the header has 3") as caught:
            load(path)
        assert caught.value.where.startswith(f"{path}:2;")
        records = load(path, on_bad_row="quarantine", quarantine_path=tmp_path / "q.jsonl")
        assert records.dataset["id"][:] == ["1", "3"]
        assert records.quarantined == 2

    def test_text_and_messages_in_turn(self):
        messages = {"prompt": [{"role": "user", "content": "a"}], "chosen": "b", "rejected": "c"}
        with pytest.raises(DataError, match="its texts are messages, but those of the rows before are text"):
            load([ROWS[0], messages])

    def test_all_rows_skipped(self):
        row = {"instruction": "q", "output_1": "a", "output_2": "b", "preference": 0}
        with pytest.raises(DataError, match="no row is left") as caught:
            load([row])
        assert "1 × tie" in caught.value.fix

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"on_bad_row": "ignore"}, "on_bad_row is 'ignore'"),
            ({"limit": 0}, "no row is read"),
            ({"split": "train"}, "no splits"),
        ],
    )
    def test_arguments(self, arguments, reason):
        with pytest.raises(DataError, match=reason):
            load(ROWS, **arguments)

    @pytest.mark.parametrize("source", [3, None, b"x", {}, iter])
    def test_sources_of_a_wrong_type(self, source):
        with pytest.raises(DataError):
            load(source)


class TestQuarantine:
    def test_bad_rows_are_written_with_reasons(self, tmp_path):
        bad = {"prompt": "a", "chosen": "b", "rejected": "\ud800"}
        path = broken(tmp_path, GOOD + b"oops\n" + json.dumps(bad).encode() + b"\n")
        target = tmp_path / "run" / "bad.jsonl"
        records = load(path, on_bad_row="quarantine", quarantine_path=target)
        assert (len(records), records.quarantined) == (1, 2)
        entries = [json.loads(line) for line in target.read_text().splitlines()]
        assert [entry["where"] for entry in entries] == [f"{path}:2", f"{path}:3"]
        assert entries[0]["row"] == "oops"
        assert "not JSON" in entries[0]["reason"]
        assert entries[1]["row"] == bad
        assert f"2 malformed rows set aside to {target}" in records.notes

    def test_nothing_is_written_where_all_is_well(self, write, tmp_path):
        records = load(write(ROWS), on_bad_row="quarantine", quarantine_path=tmp_path / "bad.jsonl")
        assert records.quarantined == 0
        assert not (tmp_path / "bad.jsonl").exists()

    def test_the_default_file(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        load(broken(tmp_path, GOOD + b"1\n", "train.jsonl"), on_bad_row="quarantine")
        assert (tmp_path / "train.quarantine.jsonl").exists()

    def test_only_bad_rows_are_an_error(self, tmp_path):
        with pytest.raises(DataError, match="the row is a number"):
            load(broken(tmp_path, b"1\n2\n"), on_bad_row="quarantine", quarantine_path=tmp_path / "q")


class TestLimitAndNotes:
    def test_limit_counts_rows_of_the_source(self, write):
        write(ROWS[:3], "d/a.jsonl")
        path = write(ROWS[3:], "d/b.jsonl")
        records = load(path.parent, limit=4)
        assert records.dataset["id"][:] == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3", "b.jsonl:1"]
        assert "only the first 4 rows of the source were read" in records.notes

    def test_unused_columns_are_named(self):
        records = load([{**ROWS[0], "model": "x", "empty": None}])
        assert records.notes == ("columns that were not read: model",)


class TestFingerprint:
    def test_depends_on_content_only(self, write):
        one = load(write(ROWS, "a.jsonl"))
        two = load(write(ROWS, "b.json"))
        assert one.fingerprint == two.fingerprint
        assert one.fingerprint != load(ROWS[:4]).fingerprint
        changed = [{**ROWS[0], "chosen": "other"}, *ROWS[1:]]
        assert one.fingerprint != load(changed).fingerprint

    def test_is_the_same_in_every_process(self):
        # worked out once; a change would orphan all caches
        assert (
            load([{"prompt": "a", "chosen": "b", "rejected": "c"}]).fingerprint
            == "12b3de45ebce4b849ce93f20a0f5fbd9"
        )


def test_large_tables_are_mapped_from_the_cache(write, monkeypatch, own_cache):
    monkeypatch.setattr(truing.data.table, "LARGEST_IN_MEMORY", 1000)
    many = [{**row, "prompt": f"{row['prompt']} {i}"} for i in range(400) for row in ROWS]
    path = write(many)
    records = load(path)
    files = list((own_cache / "records").iterdir())
    assert len(files) == 1
    assert records.dataset.cache_files == [{"filename": str(files[0])}]
    assert records.columns == ("id", "prompt", "chosen", "rejected")
    assert rows(records)[1999]["prompt"] == "p4 399"
    plain = load(many)  # in memory, from another source
    assert records.fingerprint == plain.fingerprint
    load(path)
    assert list((own_cache / "records").iterdir()) == files


def test_no_partial_file_stays_behind(write, monkeypatch, own_cache):
    monkeypatch.setattr(truing.data.table, "LARGEST_IN_MEMORY", 1000)
    with pytest.raises(DataError, match="`rejected` is missing"):
        load(write([*ROWS * 400, {"prompt": "a", "chosen": "b"}]))
    assert list((own_cache / "records").iterdir()) == []


class TestStreaming:
    def test_rows_are_the_same(self, write):
        records = load(write(ROWS), streaming=True)
        assert records.streaming
        assert records.quarantined is None
        assert rows(records) == STANDARD
        assert rows(records) == STANDARD  # a second pass

    def test_a_bad_row_raises_when_it_is_reached(self, tmp_path):
        path = broken(tmp_path, GOOD * 200 + b"3\n")
        records = load(path, streaming=True)
        passed = iter(records)
        for _ in range(200):
            next(passed)
        with pytest.raises(DataError, match="the row is a number"):
            next(passed)

    def test_quarantine_is_written_as_rows_are_read(self, tmp_path):
        path = broken(tmp_path, GOOD * 200 + b"3\n" + GOOD)
        target = tmp_path / "q.jsonl"
        records = load(path, streaming=True, on_bad_row="quarantine", quarantine_path=target)
        assert not target.exists()
        assert len(rows(records)) == 201
        assert json.loads(target.read_text())["where"] == f"{path}:201"

    def test_there_is_no_fingerprint(self, write):
        with pytest.raises(TypeError, match="streamed have no fingerprint"):
            _ = load(write(ROWS), streaming=True).fingerprint


def test_gzip_error_is_known_by_its_type():
    # The reader relies on it: a damaged stream raises zlib.error, not OSError.
    with pytest.raises(zlib.error):
        gzip.decompress(gzip.compress(GOOD)[:10] + b"\xff" * 50)
