"""What a recipe may say. Every field has one description; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from truing.recipe.online import OnlineSection
from truing.recipe.section import Section, expanded

AlarmName = Literal[
    "chosen_falling",
    "over_optimisation",
    "kl_budget",
    "margin_without_accuracy",
    "accuracy_stuck",
    "dead_gradient",
]


class ModelSection(Section):
    name: str
    """Hub name or local folder, as transformers takes it; ``truing/tiny`` is the model in the package."""
    revision: str | None = None
    """Branch, tag or commit of a hub model."""
    tokenizer: str | None = None
    """Another tokenizer than the model's own."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the weights. auto: float32 for full fine-tuning, bfloat16 under an adapter on a GPU."""


class SelfSamplesSection(Section):
    count: Annotated[int, Field(gt=0)] = 8
    """Answers to each prompt."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Sampling temperature; 1 draws from the model as it is."""
    max_new_tokens: Annotated[int, Field(gt=0)] = 64
    """Length of an answer."""
    reward: str | None = None
    """Scorer that rewards them, for objectives that need one: sentiment or harmlessness."""
    instructions: list[str] = Field(default=[])
    """Put in front of the prompt while sampling, in turn over the answers; the model is trained without them."""
    refresh_every: Annotated[int, Field(gt=0)] | None = None
    """Optimiser steps after which new answers are drawn from the policy as it then is; by default never."""


class SourceSection(Section):
    path: str
    """File, folder, glob or hub data set; the layout is detected."""
    split: str | None = None
    """Split of a hub data set."""
    layout: str | None = None
    """Name of the layout, where detection finds several."""
    columns: dict[str, str] | None = None
    """Renames: standard column to the data's own."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """Use only the first rows."""


class PartSection(SourceSection):
    match: Literal["any", "id"] = "any"
    """Which row stands beside a record: any of them, drawn anew in every pass, or the one with the record's id."""


class DataSection(Section):
    path: str
    """File, folder, glob or hub data set; ``truing/hh-sample`` is the sample in the package. The layout is detected."""
    split: str | None = None
    """Split of a hub data set."""
    eval_path: str | None = None
    """Held-out data; without it, ``eval_fraction`` of the rows is held out."""
    eval_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of prompts held out where no ``eval_path`` is given; 0 holds nothing out."""
    eval_seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Seed that chooses the held-out prompts; by default training.seed."""
    perturb: list[Any] = Field(default=[])
    """Damage done to the training records on purpose, e.g. [{flip_labels: {rate: 0.2}}]; held-out ones stay clean."""
    layout: str | None = None
    """Name of the layout, where detection finds several."""
    columns: dict[str, str] | None = None
    """Renames: standard column to the data's own, e.g. {prompt: question}."""
    on_bad_row: Literal["error", "quarantine"] = "error"
    """Stop at a malformed row, or set it aside in a file beside the run."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """Use only the first rows."""
    streaming: bool = False
    """Read no more rows than training.max_steps needs, instead of the whole data set."""
    chat_template: str | None = None
    """Name, file or text of a chat template, for tokenizers that have none."""
    system: str | None = None
    """System message put before every conversation that has none."""
    max_length: Annotated[int, Field(gt=1)] | None = 1024
    """Longest prompt plus completion, in tokens; the prompt is shortened from the left first."""
    max_prompt_length: Annotated[int, Field(gt=0)] | None = None
    """Longest prompt, in tokens."""
    ranked_as: Literal["best-worst", "all-pairs"] = "best-worst"
    """Which pairs are made of ranked answers, for pairwise objectives."""
    drop_ches: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of training pairs to leave out: those with the highest CHES under the starting model; 0.95 in the paper."""
    relabel: list[str] = Field(default=[])
    """Changes of the records before training, held-out ones included: reward-augmented, refusal, reversals,
    context-aware-pm."""
    repair: Any = None
    """Labels of training pairs that an ensemble doubts, e.g. {name: preference-strength, model: truing/tiny}; `truing
    data repair` shows what is changed."""
    parts: dict[str, PartSection] = Field(default={})
    """Further data that some objectives take beside every record, e.g. {retain: {path: retain.jsonl}}."""

    self_samples: SelfSamplesSection = SelfSamplesSection()
    """The policy's own answers, for objectives that take the part ``samples``."""

    @field_validator("parts", mode="before")
    @classmethod
    def _path_only(cls, value: Any) -> Any:
        """``retain: PATH`` stands for ``retain: {path: PATH}``."""
        return expanded(value, **dict.fromkeys(value, "path")) if isinstance(value, dict) else value


class PeftSection(Section):
    name: Literal["lora", "qlora"] = "lora"
    """Adapter; qlora also loads the base model in 4 bits."""
    rank: Annotated[int, Field(gt=0)] = 16
    """Rank of the update."""
    alpha: Annotated[float, Field(gt=0)] = 32.0
    """Scale of the update is alpha / rank."""
    target_modules: str | list[str] = "all-linear"
    """Modules that get an adapter."""


class TrainingSection(Section):
    epochs: Annotated[float, Field(gt=0)] = 1.0
    """Passes over the data."""
    max_steps: Annotated[int, Field(gt=0)] | None = None
    """Optimiser steps; overrides epochs."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 5e-7
    """Peak learning rate; about 5e-7 for full fine-tuning of billions of parameters, 1e-5 to 1e-4 for LoRA."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """Learning rate after the warm-up."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of all steps over which the learning rate rises."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    adam_betas: tuple[float, float] = (0.9, 0.999)
    """Decay rates of Adam's moments."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Gradients are clipped to this norm."""
    global_batch: Annotated[int, Field(gt=0)] = 64
    """Records in one optimiser step, over all processes."""
    micro_batch_tokens: Annotated[int, Field(gt=0)] | Literal["auto"] = "auto"
    """Tokens in one forward pass; changes memory and speed, never the mathematics."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of matrix products; auto takes bfloat16 where the hardware multiplies it."""
    peft: PeftSection | None = None
    """Train an adapter: lora, qlora, or a mapping."""
    weight_mask: str | None = None
    """File that `truing unlearn mask` wrote: only the weights that it frees learn, the others keep their bits."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass: about a third slower, much less memory."""
    compile: bool = False
    """Compile the model's layers."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of data order and initialisation."""
    log_every: Annotated[int, Field(gt=0)] = 1
    """Steps between records in metrics.jsonl."""
    eval_every: Annotated[int, Field(gt=0)] | None = None
    """Steps between evaluations; by default ten evaluations a run."""
    save_every: Annotated[int, Field(gt=0)] | None = None
    """Steps between checkpoints; by default ten checkpoints a run."""
    keep_checkpoints: Annotated[int, Field(gt=0)] = 2
    """How many checkpoints stay on disk."""
    keep: Literal["auto", "last", "best"] = "auto"
    """Which weights become the model; auto is best where stop_on is set, else last."""
    report_to: list[str] = Field(default=[])
    """Trackers, as transformers names them: tensorboard, wandb, mlflow, trackio."""
    arguments: dict[str, Any] = Field(default={})
    """Further TrainingArguments of transformers, e.g. fsdp, deepspeed, push_to_hub."""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """``peft: lora`` stands for the mapping with that name."""
        return expanded(value, peft="name")


class ReferenceSection(Section):
    model: str | None = None
    """Another reference than the starting model."""
    cache: bool = True
    """Keep reference log-probabilities on disk and share them between runs."""
    sync_every: Annotated[int, Field(gt=0)] | None = None
    """TR-DPO: steps after which the reference moves towards the policy."""
    sync_mix: Annotated[float, Field(gt=0, le=1)] = 0.6
    """TR-DPO: share of the policy in the new reference."""


class EvaluationSection(Section):
    samples: Annotated[int, Field(ge=0)] = 8
    """Held-out prompts that are answered before and after, for the report."""
    judged_prompts: Annotated[int, Field(ge=0)] = 200
    """Held-out prompts for the win rate, where there is a judge."""
    answers_per_prompt: Annotated[int, Field(gt=0)] = 1
    """Answers sampled to each prompt; their verdicts are averaged, which narrows the interval."""
    judge: str | None = None
    """Scorer that compares answers: sentiment, harmlessness, or none."""
    max_new_tokens: Annotated[int, Field(gt=0)] = 64
    """Length of sampled answers."""
    temperature: Annotated[float, Field(ge=0)] = 0.7
    """Sampling temperature; 0 is greedy."""


class AlarmSection(Section):
    stop_on: list[AlarmName] = Field(default=[])
    """Alarms that end the run, keeping the best checkpoint."""
    kl_budget: Annotated[float, Field(gt=0)] = 50.0
    """Nats per completion; an alarm is raised beyond it."""


class Recipe(Section):
    """A whole recipe."""

    model: ModelSection
    """The model that is aligned."""
    data: DataSection
    """What it learns from."""
    objective: Any = "dpo"
    """A name, a mapping {name: dpo, beta: 0.05}, or a list of mappings: a weighted sum."""
    training: TrainingSection = TrainingSection()
    """How it learns."""
    reference: ReferenceSection = ReferenceSection()
    """What it is compared with."""
    online: OnlineSection | None = None
    """Learn from answers that the model draws in training, rewarded as it says here."""
    evaluation: EvaluationSection = EvaluationSection()
    """How the result is measured."""
    alarms: AlarmSection = AlarmSection()
    """What is watched during training."""
    output: str
    """Folder for everything that the run writes."""

    @property
    def judged_by_reward(self) -> bool:
        """Whether the judge of the result is what the run learned from."""
        judge = self.evaluation.judge
        rewards = self.online.rewards if self.online is not None else [self.data.self_samples.reward]
        return judge is not None and judge in [r.get("name") if isinstance(r, dict) else r for r in rewards]

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """``model: NAME`` and ``data: PATH`` stand for the mappings with that name."""
        return expanded(value, model="name", data="path")
