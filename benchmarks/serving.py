"""The server against a straightforward one, which calls `generate` for one request at a time and streams what it says.

    python benchmarks/serving.py --quick         # one round, short answers
    python benchmarks/serving.py --json          # all rounds, as one JSON object

Both are FastAPI under uvicorn, each in a process of its own with the same model, and take turns. Clients are threads of
this process; each sends its next request when it has the answer to the one before. The model is random, so that nearly
all answers have full length on both sides. Ratios are of medians over rounds; those of the servers' processor seconds
are blurred less by other work on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from setting import Size, long_prompts, write_model

SIZE = Size()
SIDES = ("truing", "generate")


def straightforward(folder: str) -> None:
    """What one writes first: a lock, `generate`, and its own streamer."""
    import torch
    import uvicorn
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse
    from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    turn = threading.Lock()
    app = FastAPI()

    def events(body: dict[str, Any]) -> Iterator[str]:
        with turn:
            given = tokenizer(body["prompt"], return_tensors="pt", add_special_tokens=False)
            streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
            found: list[Any] = []

            def work() -> None:
                torch.manual_seed(body["seed"])
                found.append(
                    model.generate(
                        **given,
                        do_sample=True,
                        top_k=0,
                        temperature=body["temperature"],
                        max_new_tokens=body["max_tokens"],
                        streamer=streamer,
                    )
                )

            thread = threading.Thread(target=work)
            thread.start()
            for text in streamer:
                yield f"data: {json.dumps({'choices': [{'text': text}]})}\n\n"
            thread.join()
            length = found[0].shape[1] - given["input_ids"].shape[1]
        yield f"data: {json.dumps({'choices': [], 'usage': {'completion_tokens': int(length)}})}\n\n"
        yield "data: [DONE]\n\n"

    @app.post("/v1/completions")
    async def completions(body: dict[str, Any]) -> Any:
        return StreamingResponse(events(body), media_type="text/event-stream")

    listening = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}/v1"}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


@dataclass(frozen=True)
class Server:
    """One side in a process of its own."""

    url: str
    process: psutil.Process

    @property
    def seconds(self) -> float:
        """Of the processor, so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def server(side: str, folder: Path) -> Iterator[Server]:
    """One side, while it runs."""
    commands = {
        "truing": [
            *(sys.executable, "-c", "from truing.cli import main; main()"),
            *("serve", "--model", str(folder), "--port", "0", "--json"),
        ],
        "generate": [sys.executable, __file__, "--straightforward", str(folder)],
    }
    process = subprocess.Popen(commands[side], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            with contextlib.suppress(json.JSONDecodeError):
                yield Server(json.loads(said)["url"], psutil.Process(process.pid))
                return
        raise SystemExit(f"{side} did not start: {said}")
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Answer:
    """One answer: seconds to its first text and to its end, and its tokens."""

    first: float
    last: float
    tokens: int


def ask(url: str, prompt: str, seed: int, tokens: int) -> Answer:
    """One request, read as it comes."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=3600)
    body = {
        "prompt": prompt,
        "max_tokens": tokens,
        "temperature": 1.0,
        "seed": seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    began, first, used = time.perf_counter(), None, 0
    connection.request("POST", f"{place.path}/completions", json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    if reply.status != 200:
        raise RuntimeError(f"{reply.status}: {reply.read()[:500]!r}")
    for line in reply:
        if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            raise RuntimeError(str(event))
        if first is None and event["choices"] and event["choices"][0]["text"]:
            first = time.perf_counter() - began
        used = (event.get("usage") or {}).get("completion_tokens", used)
    connection.close()
    last = time.perf_counter() - began
    return Answer(last if first is None else first, last, used)


def load(server: Server, prompts: Sequence[str], clients: int, each: int, tokens: int) -> dict[str, float]:
    """So many clients at a time, each with so many requests one after the other."""
    found: list[Answer] = []
    lost: list[str] = []

    def client(number: int) -> None:
        for place in range(each):
            seed = number * each + place
            try:
                found.append(ask(server.url, prompts[seed % len(prompts)], seed, tokens))
            except (OSError, RuntimeError) as error:
                lost.append(str(error))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    began, busy = time.perf_counter(), server.seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent, busy = time.perf_counter() - began, server.seconds - busy
    if lost:
        raise SystemExit(f"{len(lost)} answers of {server.url} are lost; the first: {lost[0]}")
    return {
        "answers_per_second": len(found) / spent,
        "tokens_per_second": sum(answer.tokens for answer in found) / spent,
        "first_token_seconds": statistics.median(answer.first for answer in found),
        "answer_seconds": statistics.median(answer.last for answer in found),
        "processor_seconds_per_answer": busy / len(found),
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, answers of 16 tokens")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--each", type=int, default=2, help="requests of each client, one after the other")
    parser.add_argument("--prompt", type=int, default=128, help="tokens of a prompt")
    parser.add_argument("--answer", type=int, default=64, help="longest answer, tokens")
    parser.add_argument("--data", type=Path, help="HH-RLHF transcripts; default: packaged sample")
    parser.add_argument("--straightforward", metavar="FOLDER", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.straightforward:
        straightforward(args.straightforward)
        return
    if args.quick:
        args.rounds, args.answer, args.each = 1, 16, 1
    result = measure(args)
    print(json.dumps(result, indent=2) if args.json else shown(result))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run all rounds."""
    found: dict[int, dict[str, list[dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        model = Path(folder) / "model"
        write_model(model, SIZE)
        prompts = long_prompts(model, args.data, min(64, max(args.clients) * args.each), args.prompt)
        servers = {side: running.enter_context(server(side, model)) for side in SIDES}
        for one in servers.values():
            load(one, prompts, 2, 1, 4)  # what is done once, is done
        for number in range(args.rounds):
            for clients in args.clients:
                for side, one in servers.items():
                    row = load(one, prompts, clients, args.each, args.answer)
                    found.setdefault(clients, {}).setdefault(side, []).append(row)
                    print(
                        f"round {number + 1}: {clients} clients of {side}, {row['tokens_per_second']:.0f} tokens/s",
                        file=sys.stderr,
                    )
    settings = {key: value for key, value in vars(args).items() if key != "straightforward"}
    settings["data"] = str(args.data or "packaged sample")
    versions = {name: version(name) for name in ("truing", "transformers", "torch", "fastapi", "uvicorn")}
    rows = {str(clients): summary(sides) for clients, sides in found.items()}
    return {"clients": rows, "settings": settings, "versions": versions}


def summary(sides: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians over rounds, and their ratios, which are above 1 where Truing is the faster one."""
    medians = {
        side: {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        for side, rows in sides.items()
    }
    own, theirs = medians["truing"], medians["generate"]
    pairs = zip(sides["truing"], sides["generate"], strict=True)
    throughput = [one["tokens_per_second"] / other["tokens_per_second"] for one, other in pairs]
    return {
        **medians,
        "ratio": {
            "answers_per_second": own["answers_per_second"] / theirs["answers_per_second"],
            "tokens_per_second": own["tokens_per_second"] / theirs["tokens_per_second"],
            "first_token_seconds": theirs["first_token_seconds"] / own["first_token_seconds"],
            "answer_seconds": theirs["answer_seconds"] / own["answer_seconds"],
            "processor_seconds_per_answer": theirs["processor_seconds_per_answer"]
            / own["processor_seconds_per_answer"],
        },
        "throughput_ratio_range": [min(throughput), max(throughput)],
    }


def shown(result: dict[str, Any]) -> str:
    """The result for people."""
    settings = result["settings"]
    lines = [
        f"prompts of {settings['prompt']} tokens, answers of at most {settings['answer']}, float32, "
        f"{result['versions']}"
    ]
    for clients, row in result["clients"].items():
        own, theirs, ratio = row["truing"], row["generate"], row["ratio"]
        low, high = row["throughput_ratio_range"]
        lines.append(
            f"{clients:>3} clients: {own['tokens_per_second']:6.0f} tokens/s against "
            f"{theirs['tokens_per_second']:6.0f}: {ratio['tokens_per_second']:.2f} times (rounds {low:.2f} to "
            f"{high:.2f}); {own['answers_per_second']:.2f} answers/s against {theirs['answers_per_second']:.2f}; "
            f"first token after {own['first_token_seconds']:.2f} s against {theirs['first_token_seconds']:.2f} s; "
            f"{ratio['processor_seconds_per_answer']:.2f} of processor seconds"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
