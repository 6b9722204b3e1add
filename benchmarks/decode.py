"""Decoding: best-of-n and QAlign against a straightforward implementation, which calls `generate` for every candidate.

    python benchmarks/decode.py --quick          # one round
    python benchmarks/decode.py --json           # all rounds, as one JSON object

Both sides have the same model, prompts as token ids, reward and number of candidates, and take turns in one process.
The model is random, so that nearly all answers have full length on both sides. Ratios are of median seconds on the
clock and of processor seconds, which other work on the machine blurs less.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from setting import Size, long_prompts, write_model
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from truing.decoding.decoders import best_of_n, qalign
from truing.decoding.engine import ModelEngine
from truing.decoding.task import Task, Worth
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling

SIZE = Size()


def reward(text: str) -> float:
    """Any number that costs nothing."""
    return float(text.count("e"))


class Straightforward:
    """What one writes first: `generate` for each candidate, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    @torch.no_grad()
    def _drawn(self, ids: Sequence[int], longest: int) -> list[int]:
        config = GenerationConfig(
            do_sample=True,
            top_k=0,
            max_new_tokens=longest,
            pad_token_id=0,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        given = torch.tensor([list(ids)])
        out = self.model.generate(given, attention_mask=torch.ones_like(given), generation_config=config)
        return out[0, len(ids) :].tolist()

    def best_of_n(self, prompts: Sequence[Sequence[int]], n: int, longest: int) -> None:
        """The best of n answers to each prompt."""
        for prompt in prompts:
            max((self.tokenizer.decode(self._drawn(prompt, longest)) for _ in range(n)), key=reward)

    def qalign(self, prompts: Sequence[Sequence[int]], steps: int, longest: int, chains: int) -> None:
        """So many chains for each prompt."""
        for prompt in [prompt for prompt in prompts for _ in range(chains)]:
            now = self._drawn(prompt, longest)
            for _ in range(steps - 1):
                cut = random.randrange(len(now))
                new = now[:cut] + self._drawn([*prompt, *now[:cut]], longest - cut)
                odds = reward(self.tokenizer.decode(new)) - reward(self.tokenizer.decode(now))
                if math.log(random.random()) < odds + math.log(len(now) / len(new)):
                    now = new


class Ours:
    """The same by Truing."""

    def __init__(self, folder: Path) -> None:
        model = AutoModelForCausalLM.from_pretrained(folder).eval()
        self.engine = ModelEngine(CausalPolicy(model, AutoTokenizer.from_pretrained(folder), precision="float32"))

    def _task(self, prompts: Sequence[Sequence[int]], longest: int) -> Task:
        def judging(items: Sequence[int], texts: Sequence[str]) -> torch.Tensor:
            return torch.tensor([reward(text) for text in texts], dtype=torch.float64)

        sampling = Sampling(max_new_tokens=longest, temperature=1.0, batch=1024)
        return Task(self.engine, [""] * len(prompts), prompts, sampling, Worth(judging))

    def best_of_n(self, prompts: Sequence[Sequence[int]], n: int, longest: int) -> None:
        """The best of n answers to each prompt."""
        best_of_n(n=n)(self._task(prompts, longest))

    def qalign(self, prompts: Sequence[Sequence[int]], steps: int, longest: int, chains: int) -> None:
        """So many chains for each prompt."""
        qalign(steps=steps, beta=1.0, chains=chains, pick="last")(self._task(prompts, longest))


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prompt", type=int, default=512, help="tokens of a prompt")
    parser.add_argument("--answer", type=int, default=64, help="longest answer, tokens")
    parser.add_argument("--n", type=int, default=16, help="candidates; also steps of a chain")
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--chains", type=int, nargs="+", default=[1, 4], help="chains for each prompt, in turn")
    parser.add_argument("--data", type=Path, help="HH-RLHF transcripts; default: packaged sample")
    args = parser.parse_args()
    result = measure(args)
    print(json.dumps(result, indent=2) if args.json else shown(result))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run all rounds."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        write_model(model, SIZE)
        texts = long_prompts(model, args.data, args.prompts, args.prompt)
        sides = {"truing": Ours(model), "generate": Straightforward(model)}
        tokenizer = AutoTokenizer.from_pretrained(model)
        prompts = [tokenizer(text)["input_ids"] for text in texts]
        found: dict[str, dict[str, list[tuple[float, float]]]] = {}
        tasks: dict[str, Callable[[Any], None]] = {
            f"best of {args.n}": lambda side: side.best_of_n(prompts, args.n, args.answer)
        }
        for chains in args.chains:
            tasks[f"qalign, chains: {chains}"] = lambda side, chains=chains: side.qalign(
                prompts, args.n, args.answer, chains
            )
        for number in range(1 if args.quick else args.rounds):
            for task, work in tasks.items():
                for name, side in sides.items():
                    torch.manual_seed(number)
                    random.seed(number)
                    spent = timed(lambda side=side, work=work: work(side))
                    found.setdefault(task, {}).setdefault(name, []).append(spent)
                    print(f"round {number + 1}: {task} by {name} {spent[0]:.1f} s", file=sys.stderr)
    rows = {task: summary(sides) for task, sides in found.items()}
    settings = {**vars(args), "data": str(args.data or "packaged sample")}
    lengths = statistics.mean(map(len, prompts))
    versions = {name: version(name) for name in ("truing", "transformers", "torch")}
    return {"tasks": rows, "prompt_tokens": lengths, "settings": settings, "versions": versions}


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def summary(sides: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    """Medians and ratios."""
    medians = {
        name: [statistics.median(one[place] for one in spent) for place in (0, 1)] for name, spent in sides.items()
    }
    ratios = [theirs[0] / own[0] for own, theirs in zip(sides["truing"], sides["generate"], strict=True)]
    return {
        "seconds": {name: clock for name, (clock, _) in medians.items()},
        "ratio": medians["generate"][0] / medians["truing"][0],
        "ratio_range": [min(ratios), max(ratios)],
        "ratio_of_processor_seconds": medians["generate"][1] / medians["truing"][1],
    }


def shown(result: dict[str, Any]) -> str:
    """The result for people."""
    settings = result["settings"]
    lines = [
        f"{settings['prompts']} prompts of {result['prompt_tokens']:.0f} tokens, {settings['n']} candidates or steps, "
        f"at most {settings['answer']} tokens an answer, float32, {result['versions']}"
    ]
    for task, row in result["tasks"].items():
        low, high = row["ratio_range"]
        lines.append(
            f"{task:17} {row['seconds']['truing']:6.1f} s against {row['seconds']['generate']:6.1f} s: "
            f"{row['ratio']:.2f} times (rounds {low:.2f} to {high:.2f}), "
            f"{row['ratio_of_processor_seconds']:.2f} of processor seconds"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
