"""What an objective needs, in words, and the data of a recipe that has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markup import plain

from truing.data.derive import PARTS
from truing.objectives import METHODS
from truing.objectives.algebra.critiques import CRITIQUE
from truing.policies.distributions import FUNCTIONALS, compared_models
from truing.training.parts import GENERATED

LAYOUTS = {
    "pairs": "pairs: `prompt`, `chosen`, `rejected`",
    "ranked": "ranked answers: `prompt`, `completions`, `scores`",
    "unpaired": "single answers: `prompt`, `completion`, `label`",
    "demonstrations": "demonstrations: `prompt`, `completion`",
    "unwanted": "answers to move away from: `prompt`, `completion`",
    "samples": "prompts with answers of the policy's own",
}
_SINGLE = {
    "reference": "a reference model: by default the starting model",
    "online": "an `online` section in the recipe: answers are drawn in training and rewarded",
    "credited": "credit for every token, given once when answers are drawn",
    "opponents": "what a population of opponents finds of every answer: `online.opponents`, or the policy that drew it",
    "agreed-ranking": "a judge that orders the drawn answers: `online.rewards`",
    "critique": "critiques of both answers: `critique_chosen` and `critique_rejected`",
    "logged-complaint": "answers that users complained about, beside every prompt",
    "mismatched": "answers to other prompts, to estimate a KL baseline; drawn from the same data",
}
_SIGNALS = {"log_collision": "log Σ_v π(v)² at every position; the scoring engine returns it"}
_ONLINE = "of the rewards of the global batch; online training works it out"
_COLUMNS = {"batch_reward_mean": f"the mean {_ONLINE}", "batch_reward_std": f"the standard deviation {_ONLINE}",
            "margin": "the column `margin`, or the rewards of a scorer", "density_ratio": "how the prompts of liked "
            "and of disliked answers are distributed; estimated before training"}  # fmt: skip
_SAMPLES = {
    "reward": "a reward for every sample: `data.self_samples.reward` names a scorer",
    "proposal": "the log-probability of every sample when it was drawn; kept along with it",
}


def needs(requires: list[str]) -> list[str]:
    """One Markdown line for the data layouts, and one for each further need."""
    if "online" in requires:
        layouts, once = "prompts, of data in any layout", ""
    else:
        layouts = "; or ".join(LAYOUTS[need] for need in requires if need in LAYOUTS)
        once = ", computed once and cached"
    further = (_in_words(need) + (once if need == "reference" else "") for need in requires if need not in LAYOUTS)
    return [plain(layouts), *(plain(line) for line in further)]


def _in_words(need: str) -> str:
    prefix, _, rest = need.partition(":")
    return _PREFIXES[prefix](rest) if prefix in _PREFIXES else _SINGLE.get(need, f"`{need}`")


def _part(name: str) -> str:
    if name in PARTS:
        return f"the part `{name}` beside every record: {PARTS.get(name).summary}"
    if name in GENERATED:
        return f"the part `{name}`: answers that the policy writes to every prompt, see `data.self_samples`"
    return f"the part `{name}` beside every record: data of its own, named under `data.parts.{name}`"


def _column(name: str) -> str:
    kind, _, model = name.partition(":")
    if kind == "mean_logp":
        return f"what `{model}` finds of every answer; computed before training"
    return _COLUMNS.get(name, f"the column `{name}`")


def _derived(name: str) -> str:
    kind = name.partition(":")[0]
    if kind == "value":
        return "a critic, which is trained along"
    if kind in FUNCTIONALS:
        models = ["the reference" if model == "reference" else f"`{model}`" for model in compared_models(name)]
        return f"whole next-token distributions of {' and of '.join(dict.fromkeys(models))}, which stay in memory"
    return "the states of all layers of the reference, from which every token gets its weight"


def _codes(request: str) -> str:
    return f"codes of {request.partition(':')[0]} virtual tokens each, which are trained along and lie beside the model"


_PREFIXES: dict[str, Callable[[str], str]] = {
    "codes": _codes,
    "signal": _SIGNALS.__getitem__,
    "part": _part,
    "column": _column,
    "derived": _derived,
    "sample": _SAMPLES.__getitem__,
    "value": lambda width: (
        f"a reward head with {width} output{'s' if width != '1' else ''}: `truing reward` makes one"
    ),
}


def data(name: str) -> str | dict[str, Any]:
    """The ``data`` of a recipe: the sample in the package, with what the objective wants beside it."""
    objective = METHODS.get(name)()
    section: dict[str, Any] = {}
    wanted = [part for part in sorted(objective.part_data) if part not in PARTS and part not in GENERATED]
    if wanted:
        section["parts"] = dict.fromkeys(wanted, "truing/hh-sample")
    if "sample:reward" in objective.requires:
        section["self_samples"] = {"reward": "sentiment"}
    # The sample has no critiques; `truing reward critiques` writes such a file.
    path = "critiqued.jsonl" if CRITIQUE in objective.requires else "truing/hh-sample"
    return {"path": path, **section} if section else path
