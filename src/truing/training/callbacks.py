"""What happens beside the training loop: the metrics file, alarms, clean stops, progress."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from truing.diagnostics import Alarm, Facts, History, detect
from truing.training.distributed import World
from truing.writing import explain_disk_errors, write_text

# Bookkeeping of transformers that says nothing about the model.
_HIDDEN = {"total_flos", "train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss"}


class MetricsFile(TrainerCallback):
    """Appends every record to ``metrics.jsonl``; on resuming, drops what lies after the checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        kept = ""
        if self.path.exists() and state.global_step > 0:
            records = History.read(self.path).records
            kept = "".join(json.dumps(r) + "\n" for r in records if int(r.get("step", 0)) <= state.global_step)
        write_text(self.path, kept)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs: dict[str, Any] = kwargs.get("logs") or {}
        record = {k: v for k, v in logs.items() if k not in _HIDDEN}
        if not state.is_world_process_zero or not set(record) - {"epoch", "step"}:
            return
        line = json.dumps({"step": state.global_step, **record})
        with explain_disk_errors(self.path), self.path.open("a", encoding="utf-8") as handle:
            handle.write(line + "\n")


class AlarmWatch(TrainerCallback):
    """Looks at the metrics after every evaluation and every tenth of the run, and speaks up once per alarm.

    Args:
        path: the metrics file.
        facts: what alarms must know.
        stop_on: names of alarms that end the run.
        say: called with each new alarm.
    """

    def __init__(self, path: Path, facts: Facts, stop_on: tuple[str, ...], say: Callable[[Alarm], None]) -> None:
        self.path = path
        self.facts = facts
        self.stop_on = stop_on
        self.say = say
        self.raised: dict[tuple[str, str], Alarm] = {}
        self.stopped_by: Alarm | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """On resuming, look again at what was recorded: a run that an alarm had ended stays ended."""
        if state.global_step == 0 or not self.path.exists():
            return
        records = History.read(self.path).records
        for count, record in enumerate(records, start=1):
            if self._due(record, int(record.get("step", 0))):
                self._look(History(records[:count]), control)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.path.exists() and self._due(kwargs.get("logs") or {}, state.global_step):
            self._look(History.read(self.path), control)

    def _due(self, record: Mapping[str, Any], step: int) -> bool:
        return step > 0 and ("eval_loss" in record or step % max(1, self.facts.total_steps // 10) == 0)

    def _look(self, history: History, control: TrainerControl) -> None:
        for alarm in detect(history, self.facts):
            key = (alarm.name, alarm.severity)
            if key not in self.raised:
                self.raised[key] = alarm
                self.say(alarm)
            if alarm.name in self.stop_on and alarm.severity != "note" and self.stopped_by is None:
                self.stopped_by = alarm
                control.should_training_stop = True


class CleanStop(TrainerCallback):
    """On SIGTERM and SIGINT: finish the step, write a checkpoint, stop. A second signal stops at once."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._previous[number] = signal.signal(number, self._note)
            except ValueError:  # not in the main thread: the caller handles signals
                return

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.restore()

    def restore(self) -> None:
        """Put the previous handlers back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.agreed() is not None:
            control.should_save = True
            control.should_training_stop = True

    def agreed(self) -> int | None:
        """The signal that any process received, ``None`` without one. All processes must ask together.

        A signal reaches processes at different steps; they have to stop after the same one.
        """
        found = [number for number in World.current().gather(self.received) if number is not None]
        return found[0] if found else None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            self.restore()
            signal.raise_signal(number)
        self.received = number


class BestCheckpoint(TrainerCallback):
    """Saves whenever held-out accuracy (or, without pairs, loss) is the best so far."""

    def __init__(self) -> None:
        self.best: float | None = None

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        metrics: dict[str, float] = kwargs.get("metrics") or {}
        accuracy, loss = metrics.get("eval_rewards/accuracy"), metrics.get("eval_loss")
        value = accuracy if accuracy is not None else (-loss if loss is not None else None)
        if value is None or state.global_step == 0:
            return
        known = state.best_metric if state.best_metric is not None else float("-inf")
        if value > known:
            state.best_metric = value
            state.best_global_step = state.global_step
            control.should_save = True


class NothingLeft(TrainerCallback):
    """Ends a run at once that is resumed from its last step."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step >= state.max_steps:
            control.should_training_stop = True


class ProgressLine(TrainerCallback):
    """One line that is rewritten on a terminal; one line every tenth of the run elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.started = 0.0
        self.first = 0
        self.live = sys.stderr.isatty()
        self.open = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.started, self.first = time.monotonic(), state.global_step

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs = kwargs.get("logs") or {}
        if self.quiet or "loss" not in logs or not state.is_world_process_zero:
            return
        step, total = state.global_step, state.max_steps
        done = step - self.first
        left = (time.monotonic() - self.started) / max(done, 1) * (total - step)
        parts = [f"step {step}/{total}", f"loss {logs['loss']:.4f}"]
        for name, label in (("rewards/accuracy", "accuracy"), ("rewards/margin", "margin"), ("kl", "kl")):
            if name in logs:
                parts.append(f"{label} {logs[name]:.3f}")
        parts.append(f"{_clock(left)} left")
        line = "  ".join(parts)
        if self.live:
            sys.stderr.write(f"\r\x1b[2K{line}")
            self.open = True
        elif step % max(1, total // 10) == 0 or step == total:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.finish()

    def finish(self) -> None:
        """End the line, so that what follows starts on a new one."""
        if self.open:
            sys.stderr.write("\n")
            self.open = False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
