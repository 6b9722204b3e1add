"""The client of a vLLM server: what it asks, what it takes for an answer, how it waits."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from tests.rewards.judges.stub import Answer
from truing.errors import RunError
from truing.policies.generation import Sampling
from truing.recipe.online import SamplerSection
from truing.training.online.vllm import VllmSampler, vllm_sampler

from .vllm_stub import Vllm, choice, serving

END, OTHER_END = 9, 8


class Adapter(nn.Module):
    """One weight, written as text."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "weight.txt").write_text(str(float(self.weight.detach())))


def sampler(stub: Vllm, output: Path, **settings: Any) -> VllmSampler:
    policy = SimpleNamespace(
        model=Adapter(),
        tokenizer=SimpleNamespace(eos_token_id=END),
        inner=SimpleNamespace(
            generation_config=SimpleNamespace(eos_token_id=[OTHER_END, END]),
            config=SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=64)),
        ),
    )
    values = {"name": "vllm", "url": stub.url, "first_wait": 0.0, "attempts": 3, **settings}
    made = vllm_sampler(SamplerSection(**values), policy, output, Sampling(5, 0.9, 0.8))  # type: ignore[arg-type]
    made.follow(main=True)
    return made


def replying(*choices: dict[str, Any]) -> Answer:
    return Answer(raw=json.dumps({"choices": list(choices)}).encode())


def test_what_is_asked(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        made = sampler(stub, tmp_path / "run")
        found = made([[1, 2], [3]], 4, seed=7)
    assert [len(group) for group in found] == [4, 4]
    first, second = sorted(stub.completions, key=lambda body: -len(body["prompt"]))
    assert first["prompt"] == [1, 2]
    assert first["model"] == stub.adapters[0]
    said = {name: first[name] for name in ("n", "max_tokens", "temperature", "top_p", "return_token_ids")}
    assert said == {"n": 4, "max_tokens": 5, "temperature": 0.9, "top_p": 0.8, "return_token_ids": True}
    # What the model's generation configuration may say must not change what is drawn.
    assert (first["top_k"], first["min_p"], first["repetition_penalty"]) == (-1, 0.0, 1.0)
    assert first["stop_token_ids"] == [END, OTHER_END]
    assert first["seed"] != second["seed"], "prompts have luck of their own"
    assert all(token != END for group in found for answer in group for token in answer[:-1])


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        made = sampler(stub, tmp_path / "run")
        assert made([[1], [2]], 3, 1) == made([[1], [2]], 3, 1)
        assert made([[1], [2]], 3, 1) != made([[1], [2]], 3, 2)


def test_the_server_follows_the_weights(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        stub.adapters.append("of somebody else")
        made = sampler(stub, tmp_path / "run")
        before = made.model
        made.follow(main=True)
        assert [path for path, _ in stub.requests] == ["/v1/load_lora_adapter"], "nothing changed"
        with torch.no_grad():
            made.adapter.model.weight += 1
        made.follow(main=True)
        assert made.model != before
        assert stub.adapters == ["of somebody else", made.model]
        assert (tmp_path / "kept" / made.model / "weight.txt").read_text() == "1.0"
        assert [path.name for path in (tmp_path / "run/sampler").iterdir()] == [made.model]
        # A server that was started anew has none.
        stub.adapters.clear()
        made.follow(main=True)
        assert stub.adapters == [made.model]


def test_an_adapter_that_was_loaded_before_the_reply_was_lost_is_there(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        made = sampler(stub, tmp_path / "run")
        wanted = {"lora_name": made.model, "lora_path": str(tmp_path / "run/sampler" / made.model)}
        made.adapter._post("/load_lora_adapter", wanted, lambda: made.model in stub.adapters)
        with pytest.raises(RunError, match=r"(?s)HTTP 400.*already been loaded.*--enable-lora"):
            made.adapter._post("/load_lora_adapter", wanted, lambda: False)


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=429, raw=b"{}", headers={"Retry-After": "0"}),
        Answer(status=503, raw=b""),
        Answer(drop=True),
        Answer(late=0.6, raw=b"{}"),
        Answer(raw=b"<html>gateway</html>"),
    ],
    ids=lambda fault: f"{fault.status} {fault.raw!r} {fault.late}",
)
def test_a_fault_that_passes_is_waited_out(fault: Answer, tmp_path: Path) -> None:
    with serving(tmp_path / "kept", fault=lambda number: fault if number < 2 else None) as stub:
        found = sampler(stub, tmp_path / "run", timeout=0.3)([[1]], 2, 0)
    assert len(found[0]) == 2
    assert len(stub.completions) == 3


def test_a_server_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        made = sampler(stub, tmp_path / "run")
    with pytest.raises(
        RunError, match=r"(?s)sampler did not answer after 3 attempts: .*refused.*--resume"
    ) as caught:
        made([[1]], 2, 0)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Answer(raw=b"[]"), r"no choices: \[\]"),
        (Answer(raw=b'{"choices": null}'), "no choices"),
        (replying(choice(0, [1, END], "stop")), "has 1 answers, and 2 were asked for"),
        (replying(choice(0, [1], "length"), choice(0, [1], "length")), r"the indices \[0, 0\]"),
        (replying(choice(0, [1], "length"), choice(1, [64], "length")), "token 64, and the model has 64 tokens"),
        (replying(choice(0, [1], "length"), choice(1, [-1], "length")), "token -1"),
        (replying(choice(0, [1], "length"), choice(1, [True], "length")), "token True"),
        (
            replying(choice(0, [1], "length"), {"index": 1, "finish_reason": "length"}),
            r"(?s)no token_ids.*0\.10\.2",
        ),
        (replying(choice(0, [1], "length"), choice(1, [1], "abort")), "ended for the reason 'abort'"),
        (replying(choice(0, [1], "length"), choice(1, [1] * 6, "length")), "6 tokens, and 1 to 5 were asked for"),
        (replying(choice(0, [1], "length"), choice(1, [], "length")), "has 0 tokens"),
    ],
)
def test_garbage_is_shown(reply: Answer, message: str, tmp_path: Path) -> None:
    with (
        serving(tmp_path / "kept", fault=lambda number: reply) as stub,
        pytest.raises(RunError, match=message),
    ):
        sampler(stub, tmp_path / "run")([[1]], 2, 0)
    assert len(stub.completions) == 1, "the same question would have the same answer"


def test_an_answer_ends_with_its_end(tmp_path: Path) -> None:
    """With the end token, without it, with another one that the server names, and with tokens behind it."""
    named = {**choice(2, [4], "stop"), "stop_reason": OTHER_END}
    reply = replying(choice(0, [1, END], "stop"), choice(1, [2], "stop"), named, choice(3, [1, 8, 2], "length"))
    with serving(tmp_path / "kept", fault=lambda number: reply) as stub:
        assert sampler(stub, tmp_path / "run")([[1]], 4, 0) == [
            [[1, END], [2, END], [4, OTHER_END], [1, OTHER_END]]
        ]
