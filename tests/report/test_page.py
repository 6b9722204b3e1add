"""The page: its sections, what it draws, and that it needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from tests.report.runs import Page, record, write
from truing.report import report_on, write_run_report

SECTIONS = ["summary", "figures", "samples", "data", "alarms", "recipe", "origin", "glossary", "limits"]


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report_on(write(tmp_path_factory.mktemp("page") / "my-run")).html


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_sections_stand_in_order_and_tags_are_balanced(page: Page) -> None:
    assert list(page.sections) == SECTIONS
    assert page.open == []


def test_header_names_run_model_objective_date_and_duration(page: Page) -> None:
    # 03:04:05 to 03:06:35 are 2 minutes and 30 seconds.
    for text in ("my-run", "finished", "some/model", "DPO", "2 January 2026, 03:04 UTC", "2 min 30 s"):
        assert text in page.text


def test_every_figure_has_title_description_axis_labels_and_numbers(html: str, page: Page) -> None:
    names = re.findall(r'<figure id="figure-([\w-]+)"', html)
    assert names == [
        "loss", "accuracy", "rewards", "margin", "displacement", "held-out-answers", "kl", "entropy", "mass",
        "gradient", "learning-rate", "length",
    ]  # fmt: skip
    for block in re.findall(r"<figure.*?</figure>", html, re.DOTALL):
        assert block.count('<text class="label') == 2
        assert "<title id=" in block
        assert "<desc id=" in block
        assert "<summary>Numbers</summary>" in block
    for unit in ("nats per answer", "nats per token", "share of pairs", "tokens in an answer", "optimiser step"):
        assert unit in page.sections["figures"]


def test_curves_tell_first_and_last_held_out_value(page: Page) -> None:
    # The log-ratios of runs.metrics() end at −1 and −4, the accuracy at 0.5 + 0.2.
    assert "Held-out: chosen from 0 to −1; rejected from 0 to −4." in page.sections["figures"]
    assert "Held-out: from 50.0% to 70.0%." in page.sections["figures"]


def test_long_curves_say_that_they_are_averaged(tmp_path: Path) -> None:
    # 151 training records do not fit into 150 points: each point is a mean over two.
    rows = [{"step": step, "loss": 1.0} for step in range(151)]
    said = Page(report_on(write(tmp_path, metrics=rows)).html).sections["figures"]
    assert "Training is drawn as means over 2 records." in said
    said = Page(report_on(write(tmp_path, metrics=rows[:150])).html).sections["figures"]
    assert "drawn as means" not in said


def test_held_out_answers_are_counted_per_token(page: Page) -> None:
    # Row i changed by −0.1 i nats over 10 tokens: mean −0.01 · 49.5; the rejected ones by twice that.
    assert "chosen: −0.495 nats a token" in page.sections["figures"]
    assert "rejected: −0.990 nats a token" in page.sections["figures"]


def test_samples_stand_side_by_side_with_the_verdict(page: Page) -> None:
    said = page.sections["samples"]
    assert "judge prefers the answer after (score −0.50 before, 1.25 after)" in said
    assert "judge prefers the answer before (score 0.50 before, 0.25 after)" in said
    assert "tie (score 0.50 before, 0.50 after)" in said
    assert said.index("London, I think.") < said.index("Cardiff.")
    assert "empty" in said


def test_data_findings_with_share_and_remedy(page: Page) -> None:
    said = page.sections["data"]
    assert "The check found no problem and 1 warning in 1,000 rows." in said
    assert "50 of 1,000, 5.0% (3.8% to 6.5%)" in said
    assert "Remove them." in said
    assert "Looked for and not found (1)" in said


def test_recipe_versions_seeds_and_fingerprints(page: Page) -> None:
    assert "name: some/model\n" in page.sections["recipe"]
    for text in ("2.13.0", "seed of training", "f00", "d00d", "abc123", "1.5 billion", "2305.18290"):
        assert text in page.sections["origin"]


def test_glossary_defines_the_terms(page: Page) -> None:
    for term in ("chosen, rejected", "reference model", "log-ratio", "implicit reward", "margin", "nat",
                 "displacement", "win rate", "95 % interval"):  # fmt: skip
        assert term in page.sections["glossary"]


def test_limits_say_what_was_not_measured(page: Page) -> None:
    said = page.sections["limits"]
    assert "No person read the answers." in said
    assert "cut off at 48 tokens, and 75% of the answers after training were" in said
    assert "one seed (7)" in said


def test_nothing_is_loaded_from_elsewhere(html: str, page: Page) -> None:
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "a", "base", "form"}
    for _, attributes in page.elements:
        assert not {"src", "href", "xlink:href", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html


def test_policy_allows_nothing_but_the_style_of_the_page(html: str, page: Page) -> None:
    (policy,) = [a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a]
    style = re.search(r"<style>(.*)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}';" in policy


def test_phone_dark_and_print_styles(html: str) -> None:
    for query in ("(prefers-color-scheme: dark)", "(max-width: 600px)", "@media print"):
        assert query in html
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html


def test_written_into_the_run_folder_and_nothing_left_beside_it(tmp_path: Path) -> None:
    folder = write(tmp_path)
    before = {path.name for path in folder.iterdir()}
    assert write_run_report(folder) == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == before | {"report.html"}
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_alarms_come_with_evidence_and_remedy_the_most_serious_first(tmp_path: Path) -> None:
    alarms = [
        {"name": "chosen_falling", "severity": "note", "step": 7, "message": "Fell by -1.3 nats.", "remedy": "None.",
         "evidence": {"chosen_change_nats": -1.34, "held_out_accuracy": 0.593}},
        {"name": "dead_gradient", "severity": "problem", "step": 1200, "message": "Gone.", "remedy": "Lower beta.",
         "evidence": {"grad_norm": 1e-9}},
    ]  # fmt: skip
    said = Page(report_on(write(tmp_path, record(alarms=alarms))).html).sections["alarms"]
    assert said.index("dead gradient") < said.index("chosen falling")
    for text in ("step 1,200", "Lower beta.", "Fell by −1.3 nats.", "−1.34", "59.3%", "1 × 10⁻⁹"):
        assert text in said
