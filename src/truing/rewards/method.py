"""Registered pieces of rewards: what scores an answer, what changes scores, and what makes one of several.

Each is a function from hyper-parameters to something that computes; recipes name them, and the command line and the
documentation show them beside the objectives.
"""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

REWARDS: Registry[RegisteredFunction[Any, Any]] = Registry("reward")

reward = Registrar(REWARDS, "reward", configurable=True)
reward_transform = Registrar(REWARDS, "reward transform", configurable=True)
reward_combiner = Registrar(REWARDS, "reward combiner", configurable=True)
reward_weighter = Registrar(REWARDS, "reward weighter", configurable=True)
personal_reward = Registrar(REWARDS, "personal reward model", configurable=True)
label_repair = Registrar(REWARDS, "label repair", configurable=True)
