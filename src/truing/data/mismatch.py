"""Mismatched completions: every prompt with the answer to another prompt.

KTO (2402.01306) estimates its KL baseline from such pairs. The assignment is drawn once, so that it is the same
for every epoch, batch size and number of processes; a row is never given an answer to its own prompt.
"""

from __future__ import annotations

import numpy as np
import xxhash

from truing.data.encoded import Encoded
from truing.errors import DataError


def mismatched(encoded: Encoded, seed: int) -> list[int]:
    """For every row the number of another row, with a different prompt.

    A permutation wherever that is possible, i.e. unless more than half of the rows share one prompt; rows of such
    a prompt take their partners at random from all others.

    Args:
        encoded: tokenised records, not streamed.
        seed: of the drawing.

    Raises:
        DataError: if all prompts are the same.
    """
    prompts = encoded.dataset.with_format("numpy")["prompt_ids"]
    digests = np.array(
        [xxhash.xxh3_64_intdigest(np.asarray(p, dtype=np.int64).tobytes()) for p in prompts], np.uint64
    )
    _, group = np.unique(digests, return_inverse=True)
    count = len(group)
    if count == 0 or group.max() == 0:
        raise DataError(
            "all prompts are the same, so no answer can be put under another prompt",
            fix="use data with several prompts, or an objective without a KL baseline",
        )
    rng = np.random.default_rng(seed)
    sizes = np.bincount(group)
    shuffled = rng.permutation(count)
    order = shuffled[np.argsort(rng.permutation(len(sizes))[group[shuffled]], kind="stable")]
    largest = int(sizes.max())
    partner = np.empty(count, dtype=np.int64)
    if 2 * largest <= count:
        # Rows of a prompt stand together; moving all by the largest group takes every row out of its own.
        partner[order] = np.roll(order, -largest)
        return partner.tolist()
    crowd = int(sizes.argmax())
    inside, outside = np.flatnonzero(group == crowd), np.flatnonzero(group != crowd)
    partner[inside] = rng.choice(outside, size=len(inside))
    partner[outside] = rng.choice(inside, size=len(outside), replace=False)
    return partner.tolist()
