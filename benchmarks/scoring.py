"""Scoring n completions of one prompt: trunk and branches against every completion on its own.

    python benchmarks/scoring.py [--quick] [--json]

Cost should follow P + nC tokens, not n(P + C). Both sides run in turn on the same texts; the plain side is the
model's own forward pass on padded rows, as a trainer without shared prompts does it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from setting import Size, write_model
from torch import Tensor

from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_model
from truing.policies.packing import Tree

PROMPT, COMPLETION = 256, 32
PLAIN_ROWS = 8


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 16 completions, three rounds")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rounds = 3 if args.quick else 5
    sizes = [1, 2, 4, 8, 16] if args.quick else [1, 2, 4, 8, 16, 32, 64]
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), Size())
        tree_policy = CausalPolicy(load_model(folder), precision="float32")
        plain = load_model(folder)
        measure(tree_policy, plain, 1, 1)
        table = [measure(tree_policy, plain, n, rounds) for n in sizes]
    per_token = table[-1]["truing_seconds"] / tokens_shared(sizes[-1])
    for row in table:
        row["seconds_predicted_by_tokens"] = per_token * tokens_shared(row["n"])
    if args.json:
        print(json.dumps({"prompt": PROMPT, "completion": COMPLETION, "rows": table}, indent=2))
        return
    print(
        f"prompt {PROMPT} tokens, completions {COMPLETION}, {torch.get_num_threads()} threads, forward only, float32"
    )
    titles = ("Truing s", "by tokens", "separate s", "ratio", "n(P+C)/(P+nC)", "difference")
    print(f"{'n':>4}" + "".join(f"{title:>15}" for title in titles))
    for row in table:
        keys = ("truing_seconds", "seconds_predicted_by_tokens", "separate_seconds", "ratio", "ratio_of_tokens")
        print(f"{row['n']:4}" + "".join(f"{row[key]:15.3f}" for key in keys) + f"{row['difference']:15.1g}")


def tokens_shared(n: int) -> int:
    """Tokens that are run when the prompt is shared."""
    return PROMPT + n * COMPLETION


@torch.no_grad()
def measure(policy: CausalPolicy, plain: Any, n: int, rounds: int) -> dict[str, Any]:
    """Both sides in turn."""
    generator = torch.Generator().manual_seed(n)

    def draw(*shape: int) -> Tensor:
        return torch.randint(10, 6000, shape, generator=generator)

    prompt, completions = draw(PROMPT), draw(n, COMPLETION)
    tree = Tree(prompt.tolist(), completions.tolist())
    own, theirs = [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        shared = policy.score_all([tree]).token_logps
        own.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        separate = score_separately(plain, prompt, completions)
        theirs.append(time.perf_counter() - begin)
    ours, other = statistics.median(own), statistics.median(theirs)
    return {
        "n": n,
        "truing_seconds": ours,
        "separate_seconds": other,
        "ratio": other / ours,
        "ratio_of_tokens": n * (PROMPT + COMPLETION) / tokens_shared(n),
        "difference": float((shared.view(n, COMPLETION) - separate).abs().max()),
    }


def score_separately(model: Any, prompt: Tensor, completions: Tensor) -> Tensor:
    """Prompt and completion as one row each, all logits."""
    parts = []
    for rows in completions.split(PLAIN_ROWS):
        ids = torch.cat([prompt.expand(len(rows), -1), rows], dim=1)
        logits = model(input_ids=ids, use_cache=False).logits[:, PROMPT - 1 : -1]
        parts.append(logits.float().log_softmax(-1).gather(2, rows[..., None])[..., 0])
    return torch.cat(parts)


if __name__ == "__main__":
    main()
