"""A trained policy in one piece, after a run in which every process held a part of the weights."""

from __future__ import annotations

from dataclasses import replace

from torch.distributed.tensor import DTensor

from truing.objectives.algebra.critiques import CRITIQUE
from truing.objectives.algebra.values import head_width
from truing.training.distributed import World
from truing.training.prepare import Prepared
from truing.training.trained_model import load_policy


def gathered(prepared: Prepared) -> Prepared:
    """The same run with all weights in the main process, so that it alone can measure and write the model.

    Every process must call it: gathering is a collective. A model that is not sharded (FSDP2) is left as it is.
    """
    model = prepared.policy.model
    if not any(isinstance(parameter, DTensor) for parameter in model.parameters()):
        return prepared
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if not World.current().is_main:
        return prepared
    requires = prepared.objective.requires
    policy = load_policy(prepared.recipe, prepared.tokenizer, head_width(requires), writes=CRITIQUE in requires)
    policy.model.load_state_dict(state)
    return replace(prepared, policy=policy)
