"""States that are watched while answers grow are those of the whole text, run alone."""

from __future__ import annotations

import types

import pytest
import torch

from tests.policies.test_growing import PROMPTS, model
from truing.decoding.engine import ModelEngine
from truing.decoding.prefix.states import with_states
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.growing import PlainRows, Work


def _engine(name: str) -> ModelEngine:
    words = types.SimpleNamespace(pad_token_id=0, eos_token_id=2)
    return ModelEngine(CausalPolicy(model(name).eval(), words, precision="float32"))  # type: ignore[arg-type]


def _alone(policy: CausalPolicy, prompt: list[int], tokens: list[int]) -> torch.Tensor:
    seen = []
    hook = policy.inner.get_output_embeddings().register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        if policy.verdict.layout == "encoder-decoder":
            policy.model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, *tokens]]))
        else:
            policy.model(input_ids=torch.tensor([[*prompt, *tokens]]))
    hook.remove()
    return seen[0][0, -1].float()


@pytest.mark.parametrize(("name", "plain"), [("llama", False), ("gemma2", False), ("llama", True), ("t5", True)])
def test_states_are_those_of_the_text_alone(name: str, plain: bool) -> None:
    engine = _engine(name)
    begun = PlainRows(engine.policy, PROMPTS, 2, Work()) if plain else engine.rows(PROMPTS, 2)
    rows = with_states(engine, begun)
    draw = torch.Generator().manual_seed(1)
    assert rows.hidden.isnan().all()

    def check(own) -> None:
        for row, tokens in enumerate(own.tokens):
            if own.hidden[row].isnan().any():
                continue
            expected = _alone(engine.policy, PROMPTS[int(own.prompt[row])], tokens)
            torch.testing.assert_close(own.hidden[row], expected, atol=2e-5, rtol=1e-4)

    for _ in range(2):
        rows.push(torch.randint(3, 60, (6,), generator=draw))
    check(rows)
    assert not rows.hidden.isnan().any()
    rows.push(torch.randint(3, 60, (6,), generator=draw), torch.tensor([True, False, True, True, False, False]))
    check(rows)
    part = rows.take([5, 0, 2])
    part.push(torch.randint(3, 60, (3,), generator=draw))
    check(part)
    rows.put([5, 0, 2], part)
    check(rows)
    assert not rows.hidden.isnan().any()
    rows.cut([1, *(len(tokens) for tokens in rows.tokens[1:])])
    assert rows.hidden.isnan().any(1).tolist() == [True] + [False] * 5
    rows.push(torch.randint(3, 60, (6,), generator=draw))
    check(rows)
    assert not rows.hidden.isnan().any()


def test_what_has_no_states_is_refused() -> None:
    stub = types.SimpleNamespace(tokens=[])
    with pytest.raises(ModelError, match="no states to learn from"):
        with_states(types.SimpleNamespace(), stub)  # type: ignore[arg-type]
