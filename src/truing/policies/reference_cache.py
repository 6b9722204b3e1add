"""Reference log-probabilities: computed once, kept on disk, shared between runs and objectives.

The key is what the numbers depend on and nothing else: the weights of the reference, the precision, and the
token ids. Another learning rate, objective or output folder finds the same file. Scoring proceeds in shards
that are written one by one, so a run that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

from truing.cache import cache_folder
from truing.policies import fingerprint
from truing.policies.causal import DEFAULT_SCORING_TOKENS, CausalPolicy
from truing.policies.packing import Tree
from truing.writing import atomic_path

# Bump when the way of scoring changes in a way that changes numbers.
_VERSION = 1
SHARD_TREES = 512

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ReferenceLogps:
    """Reference log-probabilities of every completion token of a data set, in order.

    Attributes:
        values: nats, shape ``[M]``, float32.
        offsets: start of each tree's tokens in ``values``, shape ``[trees + 1]``.
        reused: share of the trees whose numbers were found on disk.
    """

    values: np.ndarray
    offsets: np.ndarray
    reused: float

    def of(self, trees: Sequence[int]) -> Tensor:
        """The values of some trees, by number, end to end."""
        parts = [self.values[self.offsets[i] : self.offsets[i + 1]] for i in trees]
        return torch.from_numpy(np.concatenate(parts)) if parts else torch.zeros(0)


def reference_logps(
    policy: CausalPolicy,
    trees: Sequence[Tree],
    *,
    budget: int = DEFAULT_SCORING_TOKENS,
    folder: Path | None = None,
    use_cache: bool = True,
    weights: str | None = None,
    progress: Progress | None = None,
) -> ReferenceLogps:
    """Score all trees with the reference, or find that this was done before.

    Args:
        policy: the reference; where it carries an adapter, the adapter is switched off.
        trees: prompts with their completions.
        budget: tokens in one forward pass.
        folder: cache folder; ``None`` for the default.
        use_cache: whether to read and write the cache.
        weights: fingerprint of the reference's weights, if the caller knows it.
        progress: called with (trees done, trees in all).
    """
    lengths = np.array([sum(len(branch) for branch in tree.branches) for tree in trees], dtype=np.int64)
    offsets = np.concatenate([[0], lengths.cumsum()])
    values = np.zeros(int(offsets[-1]), dtype=np.float32)
    base: Path | None = None
    if use_cache:
        weights = weights or fingerprint.of_parameters(policy.model)
        numerics = f"{policy.precision.name}-{policy.inner.dtype}-{policy.verdict.layout}-v{_VERSION}"
        base = (folder or cache_folder()) / "reference" / f"{weights}-{fingerprint.of_values(numerics)[:8]}"
    found = 0
    for start in range(0, len(trees), SHARD_TREES):
        part = trees[start : start + SHARD_TREES]
        target = slice(int(offsets[start]), int(offsets[start + len(part)]))
        path = base / f"{fingerprint.of_trees(part)}.safetensors" if base else None
        stored = _read(path, target.stop - target.start) if path else None
        if stored is not None:
            values[target] = stored
            found += len(part)
        else:
            with policy.evaluating(), policy.without_adapter():
                scores = policy.score_all(part, budget=budget)
            values[target] = scores.token_logps.float().cpu().numpy()
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(path) as partial:
                    save_file({"logps": values[target].copy()}, str(partial))
        if progress:
            progress(start + len(part), len(trees))
    return ReferenceLogps(values, offsets, found / len(trees) if trees else 0.0)


def _read(path: Path, size: int) -> np.ndarray | None:
    """A stored shard, or ``None`` where there is none that fits (a damaged file is computed again)."""
    if not path.exists():
        return None
    try:
        stored = load_file(str(path))["logps"]
    except Exception:
        return None
    return stored if stored.shape == (size,) else None
