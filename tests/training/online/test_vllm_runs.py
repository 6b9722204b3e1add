"""Whole runs whose answers a server draws: what is asked, what is kept, and how they go on."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults import plant
from tests.jobs import truing, weights
from tests.rewards.judges.stub import Answer
from truing.training.online.rollouts import Rollout

from .test_runs import ONLINE, recipe, rollouts
from .vllm_stub import Vllm, serving


def served(folder: Path, stub: Vllm, objective: Any = "grpo", sampler: Any = None, **changes: Any) -> Path:
    """Four steps whose answers the stub draws."""
    section = {"name": "vllm", "url": stub.url, "first_wait": 0.0, "attempts": 2, **(sampler or {})}
    values = {
        "online": {**ONLINE, "rewards": {"name": "length", "unit": "characters", "target": 6}, "sampler": section},
        "training__peft": "lora",
        "training__max_steps": 4,
        **changes,
    }
    return recipe(folder, objective, **values)


def scored(folder: Path, adapter: Path, rollout: Rollout) -> list[list[list[float]]]:
    """Log-probabilities of the answers under the model with an adapter from disk, one answer at a time."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder / "model"), adapter).eval()
    found = []
    for prompt, group in zip(rollout.prompts, rollout.completions, strict=True):
        found.append([])
        for answer in group:
            with torch.no_grad():
                logps = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
            places = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
            found[-1].append([float(logps[place, token]) for place, token in zip(places, answer, strict=True)])
    return found


@pytest.mark.slow
def test_answers_are_drawn_by_the_weights_that_learn(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        ended = truing(["align", served(tmp_path, stub)], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = rollouts(tmp_path / "out")
    assert [rollout.step for rollout in found] == [0, 1, 2, 3]
    asked = [body["model"] for body in stub.completions]
    names = list(dict.fromkeys(asked))
    assert asked == [name for name in names for _ in range(4)], "four prompts a step, new weights for each"
    assert len(stub.adapters) == 1, "earlier adapters are taken away"
    for name, rollout in zip(names, found, strict=True):
        expected = scored(tmp_path, tmp_path / "kept" / name, rollout)
        for own, other in zip(rollout.tokens["drawn"], expected, strict=True):
            for one, two in zip(own, other, strict=True):
                assert one == pytest.approx(two, abs=1e-4)


@pytest.mark.slow
def test_killed_and_resumed_nothing_is_drawn_twice(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        assert truing(["align", served(tmp_path / "whole", stub)], tmp_path / "p").code == 0
        asked = len(stub.completions)
        assert asked == 16
        broken = served(tmp_path / "broken", stub)
        killed = truing(["align", broken], tmp_path / "q", before=partial(plant.kill_in_step, 4))
        assert killed.code == -signal.SIGKILL
        assert len(stub.completions) == 2 * asked
        resumed = truing(["align", broken, "--resume"], tmp_path / "q")
        assert resumed.code == 0, resumed.err
    assert len(stub.completions) == 2 * asked, "every rollout was in the log"
    assert rollouts(tmp_path / "whole/out") == rollouts(tmp_path / "broken/out")
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")


@pytest.mark.slow
def test_a_server_that_dies_stops_the_run_and_it_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        assert truing(["align", served(tmp_path / "whole", stub)], tmp_path / "p").code == 0
    port = int(stub.url.split(":")[2].split("/")[0])

    def dies(number: int) -> Answer | None:
        return Answer(drop=True) if number >= 10 else None

    with serving(tmp_path / "kept", port=port, fault=dies) as stub:
        broken = served(tmp_path / "broken", stub)
        message = truing(["align", broken], tmp_path / "q").mistake()
        assert "the sampler did not answer after 2 attempts" in message
        assert "--resume" in message
    assert [rollout.step for rollout in rollouts(tmp_path / "broken/out")] == [0, 1]
    with serving(tmp_path / "kept", port=port) as stub:
        resumed = truing(["align", broken, "--resume"], tmp_path / "q")
        assert resumed.code == 0, resumed.err
        assert len(stub.completions) == 8, "the two rollouts that are not in the log"
    assert rollouts(tmp_path / "whole/out") == rollouts(tmp_path / "broken/out")
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__peft": None}, "use peft: lora"),
        ({"sampler": {"url": "ftp://host/v1"}}, "the url of the sampler cannot be used"),
        ({"sampler": {"key_from": "TRUING_NO_SUCH_KEY"}}, "TRUING_NO_SUCH_KEY holds no key"),
        ({"sampler": {"urls": "x"}}, "unknown key 'online.sampler.urls'"),
        ({"sampler": {"name": "sglang"}}, "vllm"),
    ],
)
def test_mistakes_are_explained(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    stub = Vllm(tmp_path, url="http://127.0.0.1:9/v1")
    assert message in truing(["align", served(tmp_path, stub, **changes)], tmp_path / "p").mistake()
