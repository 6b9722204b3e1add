"""A small synthetic run folder, as `truing align` leaves one."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

STEPS = 20


def estimate(value: float, low: float, high: float, n: int = 100) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": n}


def finding(name: str, verdict: str, value: float, low: float, high: float) -> dict[str, Any]:
    sentence = f"The {name} changed by {value:+} (95 % interval {low} to {high}, n = 100)."
    return {"name": name, "verdict": verdict, "sentence": sentence, **estimate(value, low, high)}


def record(
    win: tuple[float, float, float] | None = (0.6, 0.55, 0.65), judge: str | None = "harmlessness", **extra: Any
) -> dict[str, Any]:
    """run.json of a finished run; ``win`` is the win rate with its interval over 100 prompts."""
    rate = None
    if win is not None:
        wins = round(100 * win[0])
        rate = {"rate": estimate(*win), "wins": wins, "ties": 0, "losses": 100 - wins, "p_value": 0.05}
    values: dict[str, Any] = {
        "status": "finished",
        "truing": "0.1.0",
        "recipe": {
            "model": {"name": "some/model", "revision": "abc123"},
            "data": {"path": "pairs.jsonl"},
            "objective": "dpo",
            "training": {"learning_rate": 1e-5, "max_grad_norm": 1.0, "log_every": 1, "seed": 7},
            "evaluation": {"judge": judge, "max_new_tokens": 48, "temperature": 0.7},
            "alarms": {"stop_on": [], "kl_budget": 50.0},
        },
        "started": "2026-01-02T03:04:05Z",
        "ended": "2026-01-02T03:06:35Z",
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "machine": {"platform": "Linux", "cpu_threads": 2, "gpu": None, "processes": 1},
        "seeds": {"training": 7},
        "plan": {
            "model": {"name": "some/model", "parameters": 1_500_000_000, "trained_parameters": 1_500_000_000},
            "data": {
                "source": "pairs.jsonl",
                "kind": "pairs",
                "rows": 900,
                "held_out_rows": 100,
                "fingerprint": "f00",
            },
            "objective": {"name": "dpo", "formula": "−log σ(0.1·(r_w − r_l))"},
            "training": {"steps": STEPS, "global_batch": 16},
        },
        "alarms": [],
        "stopped_by": None,
        "kept_step": STEPS,
        "tokens_trained": 12345,
        "findings": [finding("sentiment score", "same", 0.1, -0.2, 0.4)],
        "evaluation": {
            "held_out": {"reward_accuracy": estimate(0.7, 0.6, 0.8)},
            "samples": {
                "judge": judge,
                "win_rate": rate,
                "length": estimate(1.5, -0.5, 3.5),
                "finished_before": 0.5,
                "finished_after": 0.25,
            },
        },
    }
    return {**values, **extra}


def metrics() -> list[dict[str, Any]]:
    """One training record a step, an evaluation every fourth step."""
    found: list[dict[str, Any]] = []
    for step in range(STEPS + 1):
        share = step / STEPS
        values = {
            "loss": 0.7 - 0.2 * share,
            "rewards/chosen": -0.1 * share,
            "rewards/rejected": -0.4 * share,
            "rewards/margin": 0.3 * share,
            "rewards/accuracy": 0.5 + 0.2 * share,
            "log_ratio/chosen": -1.0 * share,
            "log_ratio/rejected": -4.0 * share,
            "length/chosen": 30.0,
            "kl": 2 * share,
            "tokens/topk_entropy": 1.7,
            "tokens/topk_mass": 0.66,
        }
        if step:
            found.append({"step": step, **values, "grad_norm": 3.0 - share, "learning_rate": 1e-5 * (1 - share)})
        if step % 4 == 0:
            found.append({"step": step, **{f"eval_{name}": value for name, value in values.items()}})
    return found


def samples() -> list[dict[str, Any]]:
    return [
        {
            "prompt": "<|user|>\nWhat is the capital of Wales?</s>",
            "before": "London, I think.",
            "after": "Cardiff.",
            "score_before": -0.5,
            "score_after": 1.25,
        },
        {"prompt": "Say nothing.", "before": "", "after": "Nothing.", "score_before": 0.5, "score_after": 0.25},
        {"prompt": "Again.", "before": "Same.", "after": "Same.", "score_before": 0.5, "score_after": 0.5},
    ]


def held_out() -> list[dict[str, Any]]:
    return [
        {
            "id": str(number),
            "chosen_logp_before": -20.0,
            "chosen_logp_after": -20.0 - 0.1 * number,
            "chosen_tokens": 10,
            "rejected_logp_before": -30.0,
            "rejected_logp_after": -30.0 - 0.2 * number,
            "rejected_tokens": 10,
        }
        for number in range(100)
    ]


def data() -> dict[str, Any]:
    return {
        "source": "pairs.jsonl",
        "kind": "pairs",
        "rows": 1000,
        "fingerprint": "d00d",
        "notes": ["2 columns renamed"],
        "lengths": [{"part": "prompt", "unit": "words", "mean": 12.4, "minimum": 1, "median": 11, "maximum": 99}],
        "findings": [
            {
                "what": "rows that repeat another row",
                "severity": "warning",
                "count": 50,
                "n": 1000,
                "share": estimate(0.05, 0.038, 0.065, 1000),
                "ids": ["3", "17"],
                "meaning": "Copies count several times.",
                "remedy": "Remove them.",
            },
            {"what": "empty answers", "severity": "problem", "count": 0, "n": 1000, "ids": []},
        ],
    }


def write(folder: Path, values: dict[str, Any] | None = None, **parts: Any) -> Path:
    """Write a run's folder.

    Args:
        folder: where; made if it is missing.
        values: run.json; :func:`record` by default.
        parts: metrics, samples, held_out, mistakes, data, before, after; ``None`` leaves the file out.
    """
    given: dict[str, Any] = {
        "metrics": metrics(),
        "samples": samples(),
        "held_out": held_out(),
        "mistakes": None,
        "data": data(),
        "before": {"tokens": [[1] * n for n in (5, 10, 48, 48)]},
        "after": {"tokens": [[1] * n for n in (7, 12, 48, 30)]},
        **parts,
    }
    evaluation = folder / "evaluation"
    evaluation.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(record() if values is None else values), encoding="utf-8")
    places = {
        "metrics": folder / "metrics.jsonl",
        "samples": evaluation / "samples.json",
        "held_out": evaluation / "held_out.jsonl",
        "mistakes": evaluation / "mistakes.json",
        "data": folder / "data.json",
        "before": evaluation / "before.json",
        "after": evaluation / "after.json",
    }
    for name, path in places.items():
        value = given[name]
        if value is None:
            continue
        lines = path.suffix == ".jsonl"
        text = "".join(json.dumps(row) + "\n" for row in value) if lines else json.dumps(value)
        path.write_text(text, encoding="utf-8")
    return folder


class Page(HTMLParser):
    """What a browser would see: text by section, elements with attributes, and whether tags are balanced."""

    _EMPTY = ("meta", "br", "link", "img", "input")

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self.text = ""
        self.open: list[str] = []
        self._section = "head"
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        if tag not in self._EMPTY:
            self.open.append(tag)
        if tag == "section":
            self._section = values.get("id") or values.get("aria-label") or ""
            self.sections[self._section] = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, text: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.text += text
        if self._section in self.sections:
            self.sections[self._section] += text

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}
