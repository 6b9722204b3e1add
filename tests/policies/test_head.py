"""The chunked output head against full logits."""

from __future__ import annotations

import math

import pytest
import torch

from truing.policies import head
from truing.policies.head import HeadSpec, token_log_probs

ROWS, WIDTH, VOCABULARY = 150, 16, 50


def _inputs(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    hidden = torch.randn(ROWS, WIDTH, dtype=dtype, requires_grad=True)
    weight = torch.randn(VOCABULARY, WIDTH, dtype=dtype, requires_grad=True)
    bias = torch.randn(VOCABULARY, dtype=dtype, requires_grad=True)
    targets = torch.randint(0, VOCABULARY, (ROWS,))
    return hidden, weight, bias, targets


def _plain(hidden, weight, bias, targets, spec):  # type: ignore[no-untyped-def]
    logits = (hidden @ weight.t() + (0 if bias is None else bias)) * spec.scale
    if spec.softcap is not None:
        logits = torch.tanh(logits / spec.softcap) * spec.softcap
    return logits, logits.log_softmax(-1).gather(1, targets[:, None])[:, 0]


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize(
    "spec",
    [
        HeadSpec(VOCABULARY),
        HeadSpec(VOCABULARY, 5.0),
        HeadSpec(VOCABULARY, None, 0.25),
        HeadSpec(VOCABULARY, 3.0, 2.0),
    ],
)
@pytest.mark.parametrize("chunk", [64, 150, 4096])
@pytest.mark.parametrize("kept", [0, 64, 100, 4096])
def test_values_and_gradients(
    with_bias: bool, spec: HeadSpec, chunk: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With chunks of 64 rows and 100 rows' worth of room, the second chunk does not fit but the last (22 rows) would.
    monkeypatch.setattr(head, "KEPT_BYTES", kept * VOCABULARY * 4)
    monkeypatch.setattr(head, "CHUNK_BYTES", {"cpu": chunk * VOCABULARY * 4, "cuda": 0})
    hidden, weight, bias, targets = _inputs()
    bias = bias if with_bias else None
    leaves = [t for t in (hidden, weight, bias) if t is not None]
    _, expected = _plain(hidden, weight, bias, targets, spec)
    upstream = torch.randn(ROWS)
    wanted = torch.autograd.grad(expected, leaves, upstream)
    found, _ = token_log_probs(hidden, weight, bias, targets, spec)
    got = torch.autograd.grad(found, leaves, upstream)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_frozen_weights_get_no_gradient() -> None:
    hidden, weight, _, targets = _inputs()
    found, _ = token_log_probs(hidden, weight.detach(), None, targets, HeadSpec(VOCABULARY))
    found.sum().backward()
    assert hidden.grad is not None
    assert weight.grad is None


def test_signals_on_a_distribution_worked_out_by_hand() -> None:
    # Probabilities 1/2, 1/4, 1/4: sum of squares 3/8; entropy 1.5 bits = 1.5 ln 2 nats.
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    names = ["log_collision", "entropy", "topk_mass", "topk_entropy", "correct"]
    values = head.signal_values(logits + 7.0, torch.tensor([0]), names)
    expected = [math.log(3 / 8), 1.5 * math.log(2), 1.0, 1.5, 1.0]
    for value, wanted in zip(values, expected, strict=True):
        assert float(value) == pytest.approx(wanted, abs=1e-5)


def test_topk_looks_at_ten_tokens_and_does_not_renormalise() -> None:
    # Twenty equal tokens: the top ten hold half the mass, and −10 · 1/20 · log2(1/20) bits.
    logits = torch.zeros(1, 20)
    mass, entropy = head.signal_values(logits, torch.tensor([3]), ["topk_mass", "topk_entropy"])
    assert float(mass) == pytest.approx(0.5)
    assert float(entropy) == pytest.approx(0.5 * math.log2(20), abs=1e-5)


def test_extreme_logits_stay_finite() -> None:
    hidden = torch.tensor([[1e4], [-1e4]], requires_grad=True)
    weight = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    found, signals = token_log_probs(
        hidden, weight, None, torch.tensor([1, 1]), HeadSpec(2), ("entropy", "log_collision")
    )
    assert found.tolist() == [-2e4, 0.0]
    found.sum().backward()
    assert torch.isfinite(hidden.grad).all()
    assert torch.isfinite(weight.grad).all()
    assert all(torch.isfinite(v).all() for v in signals.values())


def test_bfloat16_autocast_sums_in_float32() -> None:
    hidden, weight, bias, targets = _inputs()
    _, expected = _plain(
        hidden.bfloat16().float(),
        weight.bfloat16().float(),
        bias.bfloat16().float(),
        targets,
        HeadSpec(VOCABULARY),
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, _ = token_log_probs(hidden, weight, bias, targets, HeadSpec(VOCABULARY))
    assert found.dtype == torch.float32
    # Logits are rounded to bfloat16 once (8 bits, |logit| up to about 16); nothing else is.
    torch.testing.assert_close(found, expected.detach(), atol=0.15, rtol=0.02)
    found.sum().backward()
    assert hidden.grad.dtype == torch.float32
