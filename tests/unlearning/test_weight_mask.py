"""Masks of language models, and the commands."""

from __future__ import annotations

import json
import math

import pytest
import torch
from typer.testing import CliRunner

from truing.cli.app import app
from truing.errors import TruingError
from truing.unlearning.attribution import wagle_scores
from truing.unlearning.masks import check_mask, load_mask
from truing.unlearning.metrics.answers import encode
from truing.unlearning.selection import density, select
from truing.unlearning.suite import write_suite
from truing.unlearning.weight_mask import RULES, Selection, gamma_of, weight_mask

RUNNER = CliRunner()


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_gives_a_mask_of_the_model(make_policy, tokenizer, suite, rule):
    policy = make_policy()
    before = {name: p.detach().clone() for name, p in policy.model.named_parameters()}
    forget, retain = encode(suite.forget, tokenizer), encode(suite.retain, tokenizer)
    mask = weight_mask(policy, forget, retain, Selection(rule=rule, keep=0.3))
    check_mask(mask, policy.model)
    total = sum(p.numel() for p in policy.model.parameters())
    if rule not in ("feed-forward", "none"):
        assert sum(int(m.sum()) for m in mask.values()) == round(0.3 * total)
    assert density(mask)["all"] == (1.0 if rule == "none" else pytest.approx(density(mask)["all"], abs=0.5))
    assert all(torch.equal(p, before[name]) for name, p in policy.model.named_parameters())
    assert all(p.grad is None for p in policy.model.parameters())


def test_wagle_from_plain_autograd(make_policy, tokenizer, suite):
    """The same mask from gradients of transformers' own loss, one answer at a time."""
    policy = make_policy()
    forget, retain = encode(suite.forget, tokenizer), encode(suite.retain, tokenizer)
    mask = weight_mask(policy, forget, retain, Selection(keep=0.1, gamma=0.5, reduction="mean"))
    plain = make_policy().model
    weights = dict(plain.named_parameters())

    def gradient(encoded):
        total = {name: torch.zeros_like(p) for name, p in weights.items()}
        for prompt, branches in zip(encoded.prompts, encoded.branches, strict=True):
            ids = torch.tensor([prompt + branches[0]])
            labels = ids.clone()
            labels[0, : len(prompt)] = -100
            found = torch.autograd.grad(plain(input_ids=ids, labels=labels).loss, list(weights.values()))
            for name, g in zip(weights, found, strict=True):
                total[name] += g / len(encoded.items)
        return total

    expected = select(wagle_scores(weights, gradient(forget), gradient(retain), 0.5), 0.1)
    same = sum(int((mask[name] == expected[name]).sum()) for name in mask)
    # rounding may exchange a few weights right at the threshold
    assert same >= 0.9999 * sum(m.numel() for m in mask.values())


def test_budgets_and_reductions_give_the_same_choice(make_policy, tokenizer, suite):
    forget, retain = encode(suite.forget, tokenizer), encode(suite.retain, tokenizer)

    def mask(**how):
        found = weight_mask(make_policy(), forget, retain, Selection(keep=0.2, **how))
        return torch.cat([part.reshape(-1) for part in found.values()])

    whole = mask(gamma=0.01, reduction="mean")
    assert float((mask(gamma=0.01, reduction="mean", budget=1) == whole).double().mean()) > 0.999
    # eight answers are kept: γ of the sum is eight times that of the mean
    assert float((mask(gamma=0.08, reduction="sum") == whole).double().mean()) > 0.999
    assert float((mask(gamma=0.01, reduction="sum") == whole).double().mean()) < 0.99
    newton = [mask(gamma="gauss-newton", reduction=reduction) for reduction in ("mean", "sum")]
    assert float((newton[0] == newton[1]).double().mean()) > 0.999


def test_what_is_refused(make_policy, tokenizer, suite):
    forget = encode(suite.forget, tokenizer)
    with pytest.raises(TruingError, match="WAGLE needs answers that are to be kept"):
        weight_mask(make_policy(), forget)
    with pytest.raises(TruingError, match="unknown rule 'wagel'") as caught:
        weight_mask(make_policy(), forget, how=Selection(rule="wagel"))
    assert "wagle" in caught.value.fix


def test_gamma_on_a_command_line():
    assert (gamma_of("1e-6"), gamma_of("inf"), gamma_of("gauss-newton")) == (1e-6, math.inf, "gauss-newton")
    for text in ("0", "-1", "nan", "much"):
        with pytest.raises(TruingError, match=f"gamma is '{text}'"):
            gamma_of(text)


@pytest.fixture
def folders(make_policy, tokenizer, suite, tmp_path):
    """A model and a suite on disk."""
    make_policy().model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    write_suite(suite, tmp_path / "suite")
    return str(tmp_path / "model"), str(tmp_path / "suite")


def test_the_mask_command(folders, tmp_path):
    model, suite = folders
    output = str(tmp_path / "mask.safetensors")
    options = ["--data", suite, "--output", output, "--keep", "0.25", "--gamma", "inf", "--json"]
    done = RUNNER.invoke(app, ["unlearn", "mask", model, *options], catch_exceptions=False)
    assert json.loads(done.output)["all"] == pytest.approx(0.25, abs=1e-4)
    assert density(load_mask(output))["all"] == pytest.approx(0.25, abs=1e-4)


def test_the_measure_command(folders, tmp_path):
    model, suite = folders
    rows = tmp_path / "rows.jsonl"
    options = ["--data", suite, "--retrained", model, "--max-new-tokens", "2", "--output", str(rows)]
    done = RUNNER.invoke(app, ["unlearn", "measure", model, *options, "--json"], catch_exceptions=False)
    assert json.loads(done.output)["forget_quality"]["p_value"] == 1.0
    written = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    assert len(written) == 4 + 8 + 4 + 32
    assert {row["set"] for row in written} == {"forget", "retain", "holdout", "real_authors", "world_facts"}


def test_the_measure_command_refuses(folders, tmp_path):
    model, suite = folders
    with pytest.raises(TruingError, match="unknown averaging 'median'"):
        RUNNER.invoke(
            app, ["unlearn", "measure", model, "--data", suite, "--averaging", "median"], catch_exceptions=False
        )
    with pytest.raises(TruingError, match="this is no folder of an unlearning experiment"):
        RUNNER.invoke(app, ["unlearn", "measure", model, "--data", str(tmp_path)], catch_exceptions=False)
