"""A reward model on n answers to each prompt: trunk and branches against padded rows.

    python benchmarks/reward_scoring.py [--quick] [--json] [--prompt 256] [--answer 32]

Both sides run the same model on the same tokens, in turn. The plain side is transformers'
``AutoModelForSequenceClassification`` on rows of prompt and answer, sorted by length and padded within a batch; of a
few batch sizes its best counts. Ratios are of medians: of seconds on the clock, and of processor seconds, which other
work on the machine blurs less (best with OMP_NUM_THREADS=1, so that no thread waits for another). The run fails where
the rewards differ by more than 1e-4.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from setting import Size, write_model
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from truing.policies.loading import load_tokenizer
from truing.policies.packing import Tree
from truing.policies.reward_loading import load_reward_model
from truing.policies.values import RewardPolicy, set_padding

PROMPTS = 4
BATCHES = (4, 16, 64)
TOLERANCE = 1e-4


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to eight answers, three rounds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--prompt", type=int, default=256, help="mean tokens of a prompt; from 3/4 to 5/4 of that")
    parser.add_argument("--answer", type=int, default=32, help="mean tokens of an answer; from 1/2 to 3/2 of that")
    args = parser.parse_args()
    sizes, rounds = ([1, 2, 4, 8], 3) if args.quick else ([1, 2, 4, 8, 16], 5)
    with tempfile.TemporaryDirectory() as folder:
        own, plain = models(Path(folder))
        measure(own, plain, forest(1, args.prompt, args.answer), 1)
        table = [{"n": n, **measure(own, plain, forest(n, args.prompt, args.answer), rounds)} for n in sizes]
    threads = torch.get_num_threads()
    if args.json:
        print(
            json.dumps({"prompt": args.prompt, "answer": args.answer, "threads": threads, "rows": table}, indent=2)
        )
    else:
        print(
            f"prompts {args.prompt} tokens, answers {args.answer}, {PROMPTS} prompts, {threads} threads, float32"
        )
        titles = ("Truing s", "padded s", "batch", "ratio", "processor", "by tokens", "answers/s", "difference")
        print(f"{'n':>4}" + "".join(f"{title:>12}" for title in titles))
        for row in table:
            print(
                f"{row['n']:4}{row['truing_seconds']:12.3f}{row['padded_seconds']:12.3f}{row['batch']:12}"
                f"{row['ratio']:12.2f}{row['ratio_of_processor_seconds']:12.2f}{row['ratio_of_tokens']:12.2f}"
                f"{row['answers_per_second']:12.1f}{row['difference']:12.1g}"
            )
    worst = max(row["difference"] for row in table)
    if worst > TOLERANCE:
        print(f"rewards of the two sides differ by {worst:.2g}", file=sys.stderr)
        return 1
    return 0


def models(folder: Path) -> tuple[RewardPolicy, Any]:
    """The same reward model on both sides."""
    logging.disable_progress_bar()
    write_model(folder, Size())
    tokenizer = load_tokenizer(str(folder))
    model = load_reward_model(str(folder), 1)
    set_padding(model, tokenizer)
    model.save_pretrained(folder)
    plain = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    return RewardPolicy(model, tokenizer, precision="float32"), plain


def forest(n: int, prompt: int, answer: int) -> list[Tree]:
    """Prompts with n answers each, of different lengths, the same in every run."""
    generator = torch.Generator().manual_seed(n)

    def draw(low: int, high: int) -> list[int]:
        length = int(torch.randint(low, high + 1, (), generator=generator))
        return torch.randint(10, 6000, (length,), generator=generator).tolist()

    return [
        Tree(draw(3 * prompt // 4, 5 * prompt // 4), [draw(answer // 2, 3 * answer // 2) for _ in range(n)])
        for _ in range(PROMPTS)
    ]


@torch.no_grad()
def measure(own: RewardPolicy, plain: Any, trees: Sequence[Tree], rounds: int) -> dict[str, Any]:
    """Both sides in turn."""
    rows = [[*tree.prompt, *branch] for tree in trees for branch in tree.branches]
    batches = sorted({min(batch, len(rows)) for batch in BATCHES})
    sides: dict[int, Callable[[], torch.Tensor]] = {
        0: lambda: own.values(trees)[:, 0],
        **{batch: lambda batch=batch: padded(plain, rows, batch) for batch in batches},
    }
    seconds: dict[int, list[float]] = {side: [] for side in sides}
    processor: dict[int, list[float]] = {side: [] for side in sides}
    found: dict[int, torch.Tensor] = {}
    for _ in range(rounds):
        for side, work in sides.items():
            begin, busy = time.perf_counter(), time.process_time()
            found[side] = work()
            seconds[side].append(time.perf_counter() - begin)
            processor[side].append(time.process_time() - busy)
    medians = {side: statistics.median(times) for side, times in seconds.items()}
    busy_medians = {side: statistics.median(times) for side, times in processor.items()}
    best = min(batches, key=medians.__getitem__)
    tokens = sum(len(tree.prompt) + sum(map(len, tree.branches)) for tree in trees)
    return {
        "truing_seconds": medians[0],
        "padded_seconds": medians[best],
        "batch": best,
        "padded_seconds_by_batch": {str(batch): medians[batch] for batch in batches},
        "ratio": medians[best] / medians[0],
        "ratio_of_processor_seconds": min(busy_medians[batch] for batch in batches) / busy_medians[0],
        "ratio_of_tokens": sum(map(len, rows)) / tokens,
        "answers_per_second": len(rows) / medians[0],
        "difference": max(float((found[0] - found[batch]).abs().max()) for batch in batches),
    }


def padded(model: Any, rows: Sequence[Sequence[int]], batch: int) -> torch.Tensor:
    """Rewards of rows by length, padded on the right within each batch."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found = torch.zeros(len(rows))
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        width = max(len(rows[i]) for i in part)
        ids = torch.full((len(part), width), model.config.pad_token_id)
        mask = torch.zeros_like(ids)
        for place, i in enumerate(part):
            ids[place, : len(rows[i])] = torch.tensor(rows[i])
            mask[place, : len(rows[i])] = 1
        found[part] = model(input_ids=ids, attention_mask=mask).logits[:, 0]
    return found


if __name__ == "__main__":
    sys.exit(main())
