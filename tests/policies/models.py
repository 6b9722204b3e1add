"""Tiny random models of many architectures, for tests."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel

VOCABULARY = 97
_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_GPT2 = {
    "vocab_size": VOCABULARY,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def _common(*without: str, **extra: Any) -> dict[str, Any]:
    return {**{k: v for k, v in _COMMON.items() if k not in without}, **extra}


# Model type, configuration, and the layout that the engine must find by itself.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any], str]] = {
    "llama": ("llama", _common(), "trees"),
    "llama-tied": ("llama", _common(tie_word_embeddings=True), "trees"),
    "llama-biased": ("llama", _common(attention_bias=True, mlp_bias=True), "trees"),
    "llama-plain-heads": ("llama", _common("num_key_value_heads"), "trees"),
    "qwen2": ("qwen2", _common(), "trees"),
    "qwen3": ("qwen3", _common(), "trees"),
    "gemma2": ("gemma2", _common(query_pre_attn_scalar=8), "trees"),
    "gemma2-sliding": ("gemma2", _common(query_pre_attn_scalar=8, sliding_window=6), "trees"),
    "gemma3": ("gemma3_text", _common(query_pre_attn_scalar=8), "trees"),
    "gemma3-sliding": ("gemma3_text", _common(query_pre_attn_scalar=8, sliding_window=6), "trees"),
    "mistral": ("mistral", _common(sliding_window=None), "trees"),
    "mistral-sliding": ("mistral", _common(sliding_window=6), "trees"),
    "phi3": ("phi3", _common(), "trees"),
    "gpt2": ("gpt2", _GPT2, "trees"),
    "pythia": ("gpt_neox", _common("num_key_value_heads", "head_dim"), "trees"),
    "opt": (
        "opt",
        _common("intermediate_size", "num_key_value_heads", "head_dim", ffn_dim=64, word_embed_proj_dim=32),
        "trees",
    ),
    "cohere": ("cohere", _common(), "trees"),
    "granite": ("granite", _common(logits_scaling=3.0), "trees"),
    "mixtral": ("mixtral", _common(num_local_experts=4, num_experts_per_tok=2), "trees"),
    "gpt-oss": ("gpt_oss", _common(num_local_experts=4, num_experts_per_tok=2), "rows"),
    "gptj": ("gptj", {**_GPT2, "rotary_dim": 4}, "rows"),
    "bloom": ("bloom", {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 4}, "rows"),
    "mamba": ("mamba", {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2}, "rows"),
    "t5": (
        "t5",
        {"vocab_size": VOCABULARY, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4,
         "decoder_start_token_id": 0},
        "encoder-decoder",
    ),
    "bart": (
        "bart",
        {"vocab_size": VOCABULARY, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
         "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
         "decoder_start_token_id": 2, "max_position_embeddings": 128},
        "encoder-decoder",
    ),
}  # fmt: skip


def tiny(name: str, seed: int = 0) -> PreTrainedModel:
    """A random model in float32; matrices are scaled up so that attention is far from uniform."""
    kind, values, layout = ARCHITECTURES[name]
    torch.manual_seed(seed)
    config = AutoConfig.for_model(kind, **values)
    family = AutoModelForSeq2SeqLM if layout == "encoder-decoder" else AutoModelForCausalLM
    model: PreTrainedModel = family.from_config(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3)
    return model
