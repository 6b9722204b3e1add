"""Load models and tokenizers, safely, with errors that say what to do.

Weights come from safetensors only, and no code is ever run from a model folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from truing.errors import ModelError

BUILT_IN = "truing/tiny"

_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "consolidated.00.pth")


def resolve(name: str) -> str:
    """A model's folder or hub name; ``truing/tiny`` is the model inside the package.

    Raises:
        ModelError: if ``name`` looks like a path and nothing is there.
    """
    if name == BUILT_IN:
        from truing.assets import tiny_model

        return str(tiny_model())
    looks_like_path = name.startswith((".", "/", "~")) or name.count("/") > 1
    path = Path(name).expanduser()
    if path.is_file():
        raise ModelError(
            f"the model {name!r} is a file",
            allowed="a folder as written by save_pretrained, or a hub name",
            fix=f"use the folder: {path.parent}",
        )
    if path.is_dir():
        return str(path)
    if looks_like_path:
        raise ModelError(
            f"there is no model folder {name!r}", fix="check the path; hub names look like owner/name"
        )
    return name


def load_tokenizer(name: str, *, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Load the tokenizer that belongs to a model.

    Raises:
        ModelError: if there is none, or it would need code from the model folder.
    """
    folder = resolve(name)
    base = adapter_base(folder)
    if base is not None and not (Path(folder) / "tokenizer_config.json").exists():
        return load_tokenizer(base)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, revision=revision, trust_remote_code=False
        )
    except Exception as error:
        local = Path(folder).is_dir()
        files = sorted(p.name for p in Path(folder).iterdir())[:12] if local else []
        raise ModelError(
            f"no tokenizer could be loaded for {name!r}: {_first_line(error)}",
            where=f"folder holds {', '.join(files) or 'nothing'}" if local else None,
            allowed="a folder or hub name with tokenizer.json (or the files of a slow tokenizer)",
            fix="save it there with tokenizer.save_pretrained(folder), or name another one as model.tokenizer",
        ) from None
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"the tokenizer of {name!r} has no end-of-sequence token, so completions cannot end",
            fix='set one, e.g. tokenizer.eos_token = "</s>", and save the tokenizer again',
        )
    return tokenizer


def load_model(
    name: str,
    *,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    quantization: Any | None = None,
    device: torch.device | None = None,
) -> PreTrainedModel:
    """Load a causal language model or an encoder-decoder in evaluation mode.

    Args:
        name: hub name, folder, or ``truing/tiny``.
        revision: branch, tag or commit of a hub model.
        dtype: of the weights.
        quantization: a transformers quantisation configuration, or ``None``.
        device: where to put it; left alone for quantised models.

    A folder with a LoRA adapter gives its base model with the adapter merged into it.

    Raises:
        ModelError: if the folder is no model, holds pickled weights only, or needs its own code.
    """
    folder = resolve(name)
    transformers_logging.disable_progress_bar()
    base = adapter_base(folder)
    if base is not None:
        return _merged(load_model(base, dtype=dtype, quantization=quantization, device=device), folder)
    try:
        config = AutoConfig.from_pretrained(folder, revision=revision, trust_remote_code=False)
        kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True, "trust_remote_code": False}
        if quantization is not None:
            options["quantization_config"] = quantization
        model: PreTrainedModel
        model, found = kind.from_pretrained(folder, revision=revision, output_loading_info=True, **options)
    except Exception as error:
        raise explain(name, folder, error) from None
    if found["missing_keys"]:
        # Transformers fills these with random numbers.
        missing = sorted(found["missing_keys"])
        raise ModelError(
            f"{len(missing)} weights of {name!r} are missing: {', '.join(missing[:3])}{' ...' if missing[3:] else ''}",
            where=folder,
            fix="save the whole model again with save_pretrained; a classifier or a reward model is no language model",
        )
    if device is not None and quantization is None:
        model.to(device)
    model.eval()
    return model


def adapter_base(folder: str) -> str | None:
    """The base model of a folder that holds an adapter and no model; ``None`` for any other name.

    Raises:
        ModelError: if the adapter's configuration cannot be read.
    """
    path = Path(folder) / "adapter_config.json"
    if not path.is_file() or (Path(folder) / "config.json").exists():
        return None
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise ModelError("the adapter does not say which model it belongs to", where=str(path))
    return base


def _merged(base: PreTrainedModel, folder: str) -> PreTrainedModel:
    from peft import PeftModel

    if not (Path(folder) / "adapter_model.safetensors").is_file():
        raise ModelError(
            f"the adapter {folder!r} has no adapter_model.safetensors",
            allowed="safetensors; a pickle can run any code when it is opened",
            fix="save it again with save_pretrained",
        )
    try:
        merged: PreTrainedModel = PeftModel.from_pretrained(base, folder).merge_and_unload()
    except Exception as error:
        raise ModelError(f"the adapter {folder!r} cannot be loaded: {_first_line(error)}") from None
    merged.eval()
    return merged


def explain(name: str, folder: str, error: Exception) -> ModelError:
    path = Path(folder)
    text = str(error)
    if path.is_dir():
        names = {p.name for p in path.iterdir()}
        has_safetensors = any(n.endswith(".safetensors") for n in names)
        if not has_safetensors and names & set(_PICKLES):
            return ModelError(
                f"the weights of {name!r} are pickled, and a pickle can run any code when it is opened",
                where=f"{path}: {', '.join(sorted(names & set(_PICKLES)))}",
                allowed="safetensors",
                fix="convert them in a place you trust: AutoModelForCausalLM.from_pretrained(folder)"
                ".save_pretrained(folder)",
            )
        if "config.json" not in names:
            return ModelError(
                f"{name!r} is no model folder: it has no config.json",
                where=f"folder holds {', '.join(sorted(names)[:12]) or 'nothing'}",
                fix="point at the folder that save_pretrained wrote",
            )
    if "trust_remote_code" in text:
        return ModelError(
            f"{name!r} needs code of its own, which is never run",
            fix="use an architecture that transformers has itself",
        )
    offline = not path.is_dir() and any(
        word in text
        for word in ("offline", "connect", "resolve", "couldn't", "not a valid model", "Repo id", "404", "401")
    )
    if offline:
        return ModelError(
            f"the model {name!r} is neither a folder here nor to be had from the hub: {_first_line(error)}",
            fix="check the name and the network; for a private model log in first; to work offline give a folder",
        )
    return ModelError(f"the model {name!r} cannot be loaded: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
