"""Load reward models: models for sequence classification, and language models that get a new head."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from truing.errors import ModelError
from truing.policies.loading import explain, resolve


def load_reward_model(
    name: str,
    width: int | None = None,
    *,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    quantization: Any | None = None,
    device: torch.device | None = None,
    seed: int = 0,
) -> PreTrainedModel:
    """Load a model for sequence classification; a language model gets a new head.

    Args:
        name: hub name, folder, or ``truing/tiny``.
        width: numbers that the head gives; those that the model has if left out.
        revision, dtype, quantization, device: as for :func:`~truing.policies.loading.load_model`.
        seed: of a new head, whose weights are drawn with a standard deviation of 1/sqrt(states + 1).

    Raises:
        ModelError: if the folder is no model, has a head of another width, or none where ``width`` is left out.
    """
    folder = resolve(name)
    transformers_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, revision=revision, trust_remote_code=False)
        trained = _is_classifier(config)
        if width is None and not trained:
            raise ModelError(
                f"{name!r} is no reward model: it has no head for sequence classification",
                where=folder,
                fix="train one with `truing reward recipe.yaml`, or name the `model` folder of such a run",
            )
        if trained and width is not None and config.num_labels != width:
            raise ModelError(
                f"the reward head of {name!r} gives {config.num_labels} numbers, and {width} are needed",
                where=folder,
                fix="start from a language model, which gets a new head",
            )
        config.num_labels = config.num_labels if width is None else width
        options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True, "trust_remote_code": False}
        if quantization is not None:
            options["quantization_config"] = quantization
        with quiet():  # a head that is missing is what is expected
            model, found = AutoModelForSequenceClassification.from_pretrained(
                folder, config=config, revision=revision, output_loading_info=True, **options
            )
    except ModelError:
        raise
    except Exception as error:
        raise explain(name, folder, error) from None
    new = set() if trained else {"score.weight"}
    missing = sorted(set(found["missing_keys"]) - new)
    if missing:
        raise ModelError(
            f"{len(missing)} weights of {name!r} are missing: {', '.join(missing[:3])}",
            where=folder,
            fix="save the whole model again with save_pretrained",
        )
    if not trained:
        generator = torch.Generator().manual_seed(seed)
        weight = model.score.weight
        with torch.no_grad():
            weight.copy_(torch.randn(weight.shape, generator=generator) / (weight.shape[1] + 1) ** 0.5)
    if device is not None and quantization is None:
        model.to(device)
    model.eval()
    result: PreTrainedModel = model
    return result


def is_reward_model(name: str) -> bool:
    """Whether a model's configuration says that it has a head for sequence classification.

    Raises:
        ModelError: if ``name`` looks like a path and nothing is there.
    """
    try:
        config = AutoConfig.from_pretrained(resolve(name), trust_remote_code=False)
    except (OSError, ValueError):  # an adapter alone, or no model: whoever loads it says what is wrong
        return False
    return _is_classifier(config)


def _is_classifier(config: PreTrainedConfig) -> bool:
    return any(a.endswith("ForSequenceClassification") for a in config.architectures or ())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' remarks."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
