"""Peak memory of a forward and backward pass, against vocabulary and length.

    python benchmarks/memory.py [--quick] [--json]

What is counted is the peak beyond weights and gradients: activations, logits, temporaries. Truing's head runs on
completion tokens in chunks; the plain side makes all logits, as a trainer without that does. Every number comes from
a process of its own. Embedding and head are frozen (as under an adapter), because their gradients' own temporaries
grow with the vocabulary on both sides.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SIDES = ("truing", "plain")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer sizes")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--one", nargs=4, metavar=("SIDE", "VOCABULARY", "PROMPT", "COMPLETION"), help=argparse.SUPPRESS
    )
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one[0], *map(int, args.one[1:]))))
        return
    vocabularies = [(v, 384, 128) for v in ((32_000, 256_000) if args.quick else (32_000, 128_000, 256_000))]
    lengths = [] if args.quick else [(128_000, 896, 128), (128_000, 1920, 128), (128_000, 1024, 1024)]
    rows = []
    for vocabulary, prompt, completion in vocabularies + lengths:
        found = {side: fresh(side, vocabulary, prompt, completion) for side in SIDES}
        rows.append({"vocabulary": vocabulary, "prompt": prompt, "completion": completion, **found})
        if not args.json:
            print(
                f"vocabulary {vocabulary:>7,}, prompt {prompt:>4}, two completions of {completion:>4}: "
                f"Truing {found['truing']:7.0f} MB, all logits {found['plain']:7.0f} MB",
                flush=True,
            )
    if args.json:
        print(json.dumps({"megabytes_beyond_weights_and_gradients": rows}, indent=2))


def fresh(side: str, *sizes: int) -> float:
    """Megabytes, measured in a new process."""
    command = [sys.executable, str(Path(__file__)), "--one", side, *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes: float = json.loads(done.stdout.splitlines()[-1])
    return megabytes


def one(side: str, vocabulary: int, prompt: int, completion: int) -> float:
    """A pair's forward and backward pass in this process."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from truing.policies.causal import CausalPolicy
    from truing.policies.packing import Tree

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=256, intermediate_size=704, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=8192, tie_word_embeddings=True,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    model.get_input_embeddings().weight.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    ids = torch.randint(10, vocabulary, (prompt + 2 * completion,))
    chosen, rejected = ids[prompt : prompt + completion], ids[prompt + completion :]
    policy = CausalPolicy(model, precision="float32") if side == "truing" else None
    model.train()
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    before = reset_peak()
    if policy is not None:
        tree = Tree(ids[:prompt].tolist(), [chosen.tolist(), rejected.tolist()])
        loss = policy.score([tree]).token_logps.sum()
    else:
        rows = torch.stack([torch.cat([ids[:prompt], chosen]), torch.cat([ids[:prompt], rejected])])
        logits = model(input_ids=rows, use_cache=False).logits[:, :-1].float()
        logps = logits.log_softmax(-1).gather(2, rows[:, 1:, None])[..., 0]
        loss = logps[:, prompt - 1 :].sum()
    loss.backward()
    return (peak() - before) / 1e6


def reset_peak() -> int:
    """Forget the peak so far (Linux), and return the memory in use, bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def peak() -> int:
    """Peak resident memory since :func:`reset_peak`, bytes."""
    return status("VmHWM")


def status(key: str) -> int:
    """A line of this process's status, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise SystemExit("this benchmark needs Linux")


if __name__ == "__main__":
    main()
