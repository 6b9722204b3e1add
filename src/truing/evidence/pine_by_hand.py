"""PINE's attention with loops over heads and tokens: what the fast form is compared with."""

from __future__ import annotations

import math
import types
from typing import Any

import torch
from torch import Tensor

from truing.policies.causal import CausalPolicy
from truing.policies.pine.segments import Segments


def random_decoder(seed: int, layers: int = 2) -> CausalPolicy:
    """A random Llama whose attention is far from even."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.mul_(8.0)
    words: Any = types.SimpleNamespace(pad_token_id=0, eos_token_id=2)
    return CausalPolicy(model.eval(), words, precision="float32")


@torch.no_grad()
def logits_by_hand(policy: CausalPolicy, prompt: Segments) -> Tensor:
    """Logits of the next token, float64, ``[V]``."""
    model: Any = policy.inner
    states = model.model.embed_tokens.weight.double()[list(prompt.ids)]
    for layer in model.model.layers:
        normed = _normed(states, layer.input_layernorm)
        states = states + _attention(layer.self_attn, normed, prompt)
        normed = _normed(states, layer.post_attention_layernorm)
        gate, up, down = (
            getattr(layer.mlp, name).weight.double() for name in ("gate_proj", "up_proj", "down_proj")
        )
        states = states + (torch.nn.functional.silu(normed @ gate.T) * (normed @ up.T)) @ down.T
    found: Tensor = _normed(states[-1], model.model.norm) @ model.lm_head.weight.double().T
    return found


def _normed(states: Tensor, norm: Any) -> Tensor:
    scale = states.square().mean(-1, keepdim=True) + norm.variance_epsilon
    found: Tensor = states / scale.sqrt() * norm.weight.double()
    return found


def _attention(module: Any, states: Tensor, prompt: Segments) -> Tensor:
    width, groups = module.head_dim, module.num_key_value_groups
    query, key, value = (
        (states @ getattr(module, name).weight.double().T).unflatten(-1, (-1, width))
        for name in ("q_proj", "k_proj", "v_proj")
    )
    out = torch.zeros(len(states), query.shape[1] * width, dtype=torch.float64)
    for head in range(query.shape[1]):
        q, k, v = query[:, head], key[:, head // groups], value[:, head // groups]
        for token in range(len(states)):
            place = _places(q, k, token, prompt)
            seen = [other for other in place if place[other] <= place[token]]
            turned = _turned(q[token], place[token])
            scores = torch.stack([turned @ _turned(k[other], place[other]) / math.sqrt(width) for other in seen])
            out[token, head * width : (head + 1) * width] = scores.softmax(0) @ v[seen]
    found: Tensor = out @ module.o_proj.weight.double().T
    return found


def _places(q: Tensor, k: Tensor, token: int, prompt: Segments) -> dict[int, int]:
    """Where the tokens that one token may see stand, for it."""
    spans, start = [], prompt.start
    for part in prompt.parts:
        spans.append(range(start, start + len(part)))
        start += len(part)
    before = {place: place for place in range(prompt.start)}
    if token < prompt.start:
        return before
    own = next((number for number, span in enumerate(spans) if token in span), None)
    looking = [token] if own is None else list(spans[own])
    others = [number for number in range(len(spans)) if number != own]
    matter = dict.fromkeys(others, 0.0)
    region = [place for number in others for place in spans[number]]
    for one in looking:
        if region:
            shares = torch.stack([q[one] @ k[place] / math.sqrt(len(q[one])) for place in region]).softmax(0)
            for number in others:
                matter[number] += sum(float(shares[region.index(place)]) for place in spans[number]) / len(
                    spans[number]
                )
    ranked = ([] if own is None else [own]) + sorted(others, key=lambda number: -matter[number])
    found, end = dict(before), prompt.end
    for number in ranked:
        size = len(spans[number])
        found |= {place: end - size + offset for offset, place in enumerate(spans[number])}
        end -= size
    if own is None:
        found |= {place: place for place in range(prompt.end, len(prompt.ids))}
    return found


def _turned(state: Tensor, place: int) -> Tensor:
    """Rotary positions with base 10,000, halves against halves."""
    half = len(state) // 2
    angle = place / 10_000 ** (torch.arange(half, dtype=torch.float64) / half)
    first, second = state[:half], state[half:]
    return torch.cat([first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()])
