"""Train the embedded tiny language model (Llama architecture, 6.3 M parameters) from scratch.

Usage (an hour to two on two CPU cores; a minute or two on a GPU):
    python tools/assets/corpus.py --data ../shared/data --out build/tiny
    python tools/assets/train_tiny_model.py --work build/tiny --tokens 8e6

Matrices are trained with Muon (orthogonalised momentum), embeddings and norms with AdamW, on a
warm-up / stable / decay schedule. A checkpoint is written every ``--save-every`` steps and the script
continues from it when it is called again; batches depend on the step number only.
Where the processor multiplies bfloat16 matrices in hardware, autocast is used.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

CONTEXT = 512


def model_config(vocabulary: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        rope_theta=10_000.0,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        attention_dropout=0.0,
    )


class Muon(torch.optim.Optimizer):
    """Momentum whose update is replaced by its nearest orthogonal matrix (Newton-Schulz, fp32)."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                buffer = state.setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"])
                x = update.T if update.shape[0] > update.shape[1] else update
                x = x / (x.norm() + 1e-7)
                for _ in range(5):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                x = x.T if update.shape[0] > update.shape[1] else x
                scale = 0.2 * math.sqrt(max(p.shape))
                p.mul_(1 - group["lr"] * 0.1).add_(x, alpha=-group["lr"] * scale)


def schedule(step: int, total: int, warmup: int = 100, decay: float = 0.3) -> float:
    """Warm up linearly, stay, then fall linearly to zero over the last ``decay`` of all steps."""
    start = total * (1 - decay)
    return min(1.0, (step + 1) / warmup) * min(1.0, max(0.0, (total - step) / (total - start)))


def fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return True
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@torch.no_grad()
def evaluate(
    model: LlamaForCausalLM, tokenizer: object, heldout: dict[str, list[str]], limit: int
) -> dict[str, object]:
    """Perplexity per token and bits per UTF-8 byte on texts that training never saw."""
    model.eval()
    result: dict[str, object] = {}
    device = next(model.parameters()).device
    for name, texts in heldout.items():
        nats = tokens = size = 0.0
        for text in texts[:limit]:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"][:1024]  # type: ignore[operator]
            if len(ids) < 2:
                continue
            x = torch.tensor([ids], device=device)
            logits = model(x).logits[0, :-1].float()
            nats += torch.nn.functional.cross_entropy(logits, x[0, 1:], reduction="sum").item()
            tokens += len(ids) - 1
            size += len(tokenizer.decode(ids[1:], skip_special_tokens=True).encode())  # type: ignore[attr-defined]
        result[name] = {
            "texts": len(texts[:limit]),
            "tokens": int(tokens),
            "perplexity": round(math.exp(nats / tokens), 2),
            "bits_per_byte": round(nats / math.log(2) / size, 3),
        }
    model.train()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tokens", type=float, default=8e6)
    parser.add_argument("--batch", type=int, default=16, help="sequences of 512 tokens a step")
    parser.add_argument("--micro", type=int, default=4, help="sequences a forward pass")
    parser.add_argument("--lr", type=float, default=6e-3, help="AdamW (embeddings); Muon uses --muon-lr")
    parser.add_argument("--muon-lr", type=float, default=4e-3)
    parser.add_argument("--save-every", type=int, default=50)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bench", type=int, default=0, help="stop after this many steps without saving")
    args = parser.parse_args()

    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = AutoTokenizer.from_pretrained(args.work / "tokenizer")
    stream = np.memmap(args.work / "train.bin", dtype=np.uint16, mode="r")
    model = LlamaForCausalLM(model_config(len(tokenizer))).to(device)
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    optimizers = [
        Muon(matrices, args.muon_lr),
        torch.optim.AdamW(others, lr=args.lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    base_rates = [args.muon_lr, args.lr]
    total = int(args.tokens / (args.batch * CONTEXT))
    autocast = fast_bfloat16(device)
    print(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {total:,} steps, bfloat16 {autocast}",
        flush=True,
    )

    checkpoint = args.work / "checkpoint.pt"
    start = 0
    if checkpoint.exists() and not args.bench:
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        start = state["step"]
    body = torch.compile(model.model) if args.compile else model.model

    for step in range(start, min(total, args.bench or total)):
        began = time.time()
        # Epoch-like order: a random permutation of windows, shifted by a random phase each epoch.
        windows = len(stream) // CONTEXT - 1
        epoch, position = divmod(step * args.batch, windows)
        order = np.random.default_rng(1000 + epoch).permutation(windows)
        picks = order[np.arange(position, position + args.batch) % windows]
        phase = int(np.random.default_rng(2000 + epoch).integers(CONTEXT))
        rows = np.stack([stream[p * CONTEXT + phase : p * CONTEXT + phase + CONTEXT + 1] for p in picks])
        batch = torch.from_numpy(rows.astype(np.int64)).to(device)
        factor = schedule(step, total)
        for optimizer, rate in zip(optimizers, base_rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        loss_sum = 0.0
        for micro in batch.split(args.micro):
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast):
                hidden = body(input_ids=micro[:, :-1]).last_hidden_state
                logits = model.lm_head(hidden)
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), micro[:, 1:].flatten())
            (loss * len(micro) / len(batch)).backward()
            loss_sum += loss.item() * len(micro) / len(batch)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        seconds = time.time() - began
        if step % 10 == 0 or args.bench:
            record = {
                "step": step,
                "loss": round(loss_sum, 4),
                "lr": round(factor, 4),
                "tokens_per_second": round(batch.numel() / seconds),
            }
            print(json.dumps(record), flush=True)
            if not args.bench:
                with (args.work / "train.jsonl").open("a") as log:
                    log.write(json.dumps(record) + "\n")
        if (step + 1) % args.save_every == 0 and not args.bench:
            partial = checkpoint.with_suffix(".partial")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizers": [o.state_dict() for o in optimizers],
                    "step": step + 1,
                },
                partial,
            )
            partial.replace(checkpoint)
    if args.bench:
        return

    heldout = json.loads((args.work / "heldout.json").read_text(encoding="utf-8"))
    model.to(torch.bfloat16).save_pretrained(args.work / "model")
    tokenizer.save_pretrained(args.work / "model")
    # Measure what is shipped: the weights after rounding to bfloat16.
    shipped = LlamaForCausalLM.from_pretrained(args.work / "model", dtype=torch.float32).to(device)
    metrics = evaluate(shipped, tokenizer, heldout, limit=1000)
    (args.work / "metrics.json").write_text(json.dumps(metrics, indent=2))
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
