"""``check_path``: files, splits, tokenizers; and the report as JSON and on the terminal."""

import json

import pytest
from rich.console import Console

from tests.data import tokenizers_for_tests as build
from truing.data.check import check_path
from truing.data.render import render
from truing.errors import DataError, ModelError

ROWS = [
    {"prompt": "What is the capital of France?", "chosen": "It is Paris.", "rejected": "Lyon."},
    {"prompt": "How many legs has a spider?", "chosen": "Eight.", "rejected": "It has six legs."},
]


def test_malformed_rows_are_counted_and_nothing_is_written(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(ROWS)
    path.write_bytes(path.read_bytes() + b'oops\n{"prompt": "a"}\n')
    before = sorted(tmp_path.rglob("*"))
    found = check_path(path).find("counts", "malformed")
    assert (found.count, found.n, found.severity) == (2, 4, "problem")
    assert [p for p in sorted(tmp_path.rglob("*")) if p not in before and "cache" not in p.parts] == []


def test_splits_of_a_folder_are_compared(write):
    write(ROWS, "d/train.jsonl")
    path = write(ROWS[:1], "d/test.jsonl")
    report = check_path(path.parent)
    assert (report.rows, report.splits) == (2, {"test": 1})
    assert report.find("leakage").count == 1
    assert check_path(path.parent, split="test").splits == {}


def test_against_another_file(write):
    report = check_path(write(ROWS, "a.jsonl"), write(ROWS[1:], "b.jsonl"))
    assert report.find("leakage").ids == ("1",)


def test_options_reach_the_loader(write):
    rows = [{"q": row["prompt"], "good": row["chosen"], "bad": row["rejected"]} for row in ROWS]
    columns = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    assert check_path(write(rows), columns=columns, limit=1).rows == 1


def test_a_tokenizer_by_folder(write, tmp_path):
    build.llama_3().save_pretrained(tmp_path / "model")
    report = check_path(write(ROWS), tokenizer=tmp_path / "model")
    assert {row.unit for row in report.lengths} == {"characters", "words", "tokens"}
    with pytest.raises(ModelError, match="no tokenizer can be loaded"):
        check_path(write(ROWS), tokenizer=tmp_path / "nothing")


def test_unreadable_data_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        check_path(tmp_path / "no.jsonl")


def test_json_has_no_nan(write):
    # two answers of the same length: the share of longer ones is unknown
    report = check_path(write([{"prompt": "p", "chosen": "a", "rejected": "b"}]))
    plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    bias = next(f for f in plain["findings"] if f["check"] == "length-bias")
    assert bias["share"] == {"value": None, "low": None, "high": None, "n": 0}
    assert bias["values"]["difference"]["value"] == 0.0
    assert (plain["rows"], plain["kind"], plain["problems"]) == (1, "pairs", 0)
    assert plain["lengths"][0]["part"] == "prompt"


def shown(report, width=160):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render(report))
    return console.export_text()


def test_terminal(write):
    rows = [*ROWS, {"prompt": "[bold]p[/bold] [/x]", "chosen": "same", "rejected": "same", "id": "[red]7[/red]"}]
    text = shown(check_path(write(rows)))
    assert "3 rows · pairs · plain text · layout pairs" in text
    assert "1 problem, 0 warnings" in text
    assert "[red]7[/red]" in text  # text from the data is no markup
    assert "33.3% (6.1% to 79.2%)" in text  # Wilson, 1 of 3
    assert "looked for and not found: " in text
    assert "Remove them." in text


def test_narrow_terminal(write):
    assert "problem" in shown(check_path(write(ROWS)), width=40)


@pytest.mark.parametrize(
    "path",
    [
        "hh-rlhf/harmless-base-test.jsonl.gz",
        "halueval/general_data.jsonl.gz",
        "fine-grained-rlhf/qa_dev_feedback.json.gz",
        "gsm8k/test.jsonl",
        "pandalm/testset-v1.json",
    ],
)
def test_real_data_of_each_kind(shared_data, path):
    report = check_path(shared_data / path)
    json.dumps(report.as_dict(), allow_nan=False)
    assert len(shown(report)) > 500
    for finding in report.findings:
        assert finding.count <= finding.n or finding.n == 0
        assert finding.count == 0 or finding.meaning.endswith((".", ". "))


def test_real_length_bias(shared_data):
    # AlpacaEval judges prefer longer answers of a verbose model; HH annotators preferred shorter, harmless ones.
    verbose = check_path(shared_data / "alpaca-eval/soft/alpaca-7b_verbose.json.gz").find("length-bias")
    assert verbose.share.low > 0.8
    harmless = check_path(shared_data / "hh-rlhf/harmless-base-test.jsonl.gz").find("length-bias")
    assert harmless.share.high < 0.5


def test_real_agreement(shared_data):
    finding = check_path(shared_data / "pandalm/testset-v1.json").find("agreement")
    assert finding.values["kappa"].low > 0.8
    assert "293 votes for a tie" in finding.meaning


def test_real_leakage_between_hard_and_soft(shared_data):
    # both hold the same 724 instructions, less three that are ties in the first file
    report = check_path(
        shared_data / "alpaca-eval/soft/gpt-3.5-turbo-1106.json.gz",
        shared_data / "alpaca-eval/soft/gpt4_gamed.json.gz",
    )
    exact = report.find("leakage", "is here, too")
    assert (exact.count, exact.n) == (721, 724)
