"""What judges cost, in the record after every step, so that a run that is killed loses no more than one."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from truing.rewards.judges.usage import added
from truing.training.record import RunRecord
from truing.training.step import PreferenceStep


class KeptUsage(TrainerCallback):
    """Adds what a step's judges cost to what the record knows from before.

    Args:
        record: of the run; what it holds when this is made is from before an interruption.
        step: asks the judges.
    """

    def __init__(self, record: RunRecord, step: PreferenceStep) -> None:
        self.record = record
        self.step = step
        self.before: dict[str, Any] = record.values.get("usage", {})

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.step.usage:
            self.record.values["usage"] = added(self.before, self.step.usage)
            if state.is_world_process_zero:
                self.record.write()
