"""Recipes of ``truing unlearn``: what they come to, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truing.errors import TruingError
from truing.unlearning.load import Job, load_job, parse_job
from truing.unlearning.weight_mask import Selection


def _job(**changes: Any) -> Job:
    values = {"model": "m", "forget": "f.jsonl", "retain": "r.jsonl", "method": "npo", "output": "out"}
    return parse_job({key: value for key, value in {**values, **changes}.items() if value is not None})


def test_a_method_gets_the_likelihood_of_what_is_kept() -> None:
    job = _job(method={"name": "npo", "beta": 0.2}, retain_weight=3)
    assert job.align.objective == [{"name": "npo", "beta": 0.2}, {"name": "nll", "part": "retain", "weight": 3.0}]
    assert job.align.data.parts["retain"].path == "r.jsonl"
    assert (job.align.data.path, job.align.data.eval_fraction) == ("f.jsonl", 0)
    assert job.selection is None


def test_a_divergence_or_nothing_instead() -> None:
    assert _job(retain_loss="kl").align.objective[1] == {"name": "kl", "part": "retain"}
    assert _job(retain=None).align.objective == {"name": "npo"}
    assert _job(retain=None).align.data.parts == {}


def test_methods_that_use_the_retain_set_themselves() -> None:
    job = _job(method="graddiff", retain_weight=2)
    assert job.align.objective == {"name": "graddiff", "retain_weight": 2}
    assert "retain" in job.align.data.parts
    assert _job(method={"name": "rmu", "layer": 2, "alpha": 10}).align.objective["name"] == "rmu"


def test_refusals_take_the_place_of_answers() -> None:
    idk = _job(method="idk").align
    assert idk.data.relabel == ["refusal"]
    assert idk.objective == [{"name": "nll"}, {"name": "nll", "part": "retain"}]
    dpo = _job(method={"name": "dpo_refusal", "beta": 0.3}, retain=None).align
    assert (dpo.data.relabel, dpo.objective) == (["refusal"], {"name": "dpo", "beta": 0.3})


def test_a_list_is_taken_as_it_is() -> None:
    terms = [{"name": "npo"}, {"name": "kl", "part": "retain", "weight": 0.5}]
    assert _job(method=terms).align.objective == terms


def test_a_mask_is_made_in_the_folder_of_the_run() -> None:
    job = _job(mask={"keep": 0.1, "gamma": "gauss-newton"})
    assert job.selection == Selection("wagle", 0.1, "gauss-newton")
    assert job.align.training.weight_mask == "out/mask.safetensors"
    assert job.unmasked.training.weight_mask is None
    given = _job(mask="mine.safetensors")
    assert (given.selection, given.align.training.weight_mask) == (None, "mine.safetensors")
    # A mask may need the retain set although the method does not.
    assert _job(method="ga", retain_loss="none", mask={"rule": "wagle"}).align.data.parts == {}


def test_defaults_suit_forgetting() -> None:
    training = _job().align.training
    assert (training.epochs, training.learning_rate, training.global_batch) == (5, 1e-5, 32)


@pytest.mark.parametrize(
    ("changes", "told", "where"),
    [
        ({"method": "npoo"}, "unknown method 'npoo'", "method"),
        ({"method": "sft"}, "teaches the answers of the forget set", "method"),
        ({"method": {"name": "npo", "betta": 1}}, "no key 'betta'", "method"),
        ({"method": {"name": "npo", "beta": -1}}, "beta = -1 cannot be used", "method"),
        ({"method": {"beta": 1}}, "an objective needs a name", "method"),
        ({"method": "graddiff", "retain": None}, "'graddiff' needs a retain set", "retain"),
        ({"method": "rmu", "retain": None}, "'rmu' needs a retain set", "retain"),
        ({"retain": None, "retain_loss": "kl"}, "retain_loss: kl needs a retain set", "retain"),
        ({"retain_loss": "none"}, "the retain set has no effect", "retain"),
        ({"method": "rmu", "retain_weight": 2}, "retain_weight has no effect", "retain_weight"),
        ({"mask": {"rule": "wagel"}}, "unknown rule 'wagel'", "mask.rule"),
        ({"mask": {"gamma": "large"}}, "gamma is 'large'", "mask.gamma"),
        ({"mask": {"keep": 1.5}}, "less than or equal to 1", "mask.keep"),
        ({"mask": {"rule": "wagle"}, "retain": None}, "names no retain set", "retain"),
        ({"mask": {"rule": "random"}, "training": {"peft": "lora"}}, "with an adapter those do not learn", "mask"),
        ({"training": {"weight_mask": "m.safetensors"}}, "a key of its own", "training.weight_mask"),
        ({"measure": "nowhere"}, "no folder of an unlearning experiment", "measure.data"),
        ({"measur": "nowhere"}, "unknown key 'measur'", "measur"),
        ({"forget": None}, "the key 'forget' is missing", "forget"),
        ({"retain_loss": "likelihood"}, "must be 'nll', 'kl' or 'none'", "retain_loss"),
    ],
)
def test_mistakes(changes: dict[str, Any], told: str, where: str) -> None:
    with pytest.raises(TruingError) as caught:
        _job(**changes)
    assert told in caught.value.what
    assert f"key {where}" in str(caught.value.where)


def test_a_mistake_is_found_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "forget.yaml"
    path.write_text("model: m\nforget: f.jsonl\nmethod: ga\nmask:\n  keep: 0.1\n  rule: wagel\noutput: out\n")
    with pytest.raises(TruingError, match=r"forget.yaml:6, key mask.rule"):
        load_job(path)
    with pytest.raises(TruingError, match=r"forget.yaml:3, key method"):
        load_job(path, ["mask.rule=random", "method.name=gaa"])
    job = load_job(path, ["mask.rule=random", "forget.limit=3", "mask.keep=0.2"])
    assert (job.align.data.limit, job.selection) == (3, Selection("random", 0.2))
