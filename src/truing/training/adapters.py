"""LoRA and QLoRA: attach an adapter, and turn a trained one back into a plain model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from truing.errors import ModelError, RecipeError, missing_dependency
from truing.recipe.schema import PeftSection
from truing.writing import atomic_path


def attach(model: PreTrainedModel, section: PeftSection) -> nn.Module:
    """Wrap a model with a fresh LoRA adapter in float32 (its B matrix is zero: the policy starts as the base).

    Raises:
        RecipeError: if ``target_modules`` matches nothing.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if section.name == "qlora":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    config = LoraConfig(
        r=section.rank,
        lora_alpha=section.alpha,
        target_modules=section.target_modules,
        lora_dropout=0.0,
        task_type=_reads(model),
        # A reward head beside the output head is trained whole; that of a classifier is by its task.
        modules_to_save=["score"] if _reads(model) == "CAUSAL_LM" and hasattr(model, "score") else None,
    )
    try:
        wrapped: nn.Module = get_peft_model(model, config)
    except ValueError as error:
        names = sorted({name.rsplit(".", 1)[-1] for name, m in model.named_modules() if isinstance(m, nn.Linear)})
        raise RecipeError(
            f"no adapter could be attached: {str(error).splitlines()[0]}",
            where="training.peft.target_modules",
            allowed=f"all-linear, or some of {', '.join(names)}",
        ) from None
    return wrapped


def _reads(model: PreTrainedModel) -> str:
    """What peft calls this kind of model; of a classifier the head is trained whole, and saved."""
    if model.config.is_encoder_decoder:
        return "SEQ_2_SEQ_LM"
    return "SEQ_CLS" if type(model).__name__.endswith("ForSequenceClassification") else "CAUSAL_LM"


def quantization() -> Any:
    """The 4-bit configuration of QLoRA (2305.14314).

    Raises:
        TruingError: if bitsandbytes is missing.
        ModelError: without a GPU.
    """
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        raise missing_dependency("training.peft: qlora", "bitsandbytes", "qlora") from None
    if not torch.cuda.is_available():
        raise ModelError("qlora needs a GPU", where="training.peft", fix="use peft: lora")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def save(model: nn.Module, folder: Path, adapter_folder: Path, *, merge: bool) -> None:
    """Write the trained model so that ``from_pretrained`` (and vLLM) load it.

    A LoRA is merged into its base; the adapter itself is written beside it. A QLoRA is written as an adapter,
    which ``from_pretrained`` loads together with its base.
    """
    if not hasattr(model, "merge_and_unload"):
        _plain(model).save_pretrained(folder)
        return
    with atomic_path(adapter_folder) as partial:
        model.save_pretrained(partial)  # type: ignore[operator]
    if merge:
        merged = model.merge_and_unload()  # type: ignore[operator]
        _plain(merged).save_pretrained(folder)
    else:
        model.save_pretrained(folder)  # type: ignore[operator]


def _plain(model: Any) -> Any:
    """Undo what scoring changed in the configuration, so that the folder says nothing about Truing."""
    model.config._attn_implementation = "sdpa" if model._supports_sdpa else "eager"
    return model
