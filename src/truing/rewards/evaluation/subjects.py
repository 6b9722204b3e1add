"""What can be judged on labelled pairs: reward models, policies by their implicit reward, and judges of two answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from truing.data.encoded import Encoded
from truing.data.records import Records
from truing.data.text import TextEncoder
from truing.data.tokenise import token_ids
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.loading import load_model, load_tokenizer
from truing.policies.precision import Precision
from truing.rewards.evaluation.mistakes import as_text
from truing.rewards.evaluation.pairs import JudgedPairs
from truing.rewards.judges.local import LocalJudge, load_policy
from truing.rewards.models.model import RewardModel, gives_rewards
from truing.rewards.personal.evaluation import judged_by_user
from truing.rewards.personal.model import PersonalModel, is_personal
from truing.training.examples import ExampleData


@dataclass(frozen=True)
class Verdicts:
    """What a subject says of pairs.

    Attributes:
        pairs: log-odds, lengths, subsets.
        cut: how many prompts and answers did not fit and were shortened, and how many pairs were left out.
        orders: log-odds of the better answer where it stands first, and where it stands second, shape ``[N, 2]``;
            ``None`` where places do not enter.
    """

    pairs: JudgedPairs
    cut: dict[str, int] = field(default_factory=dict)
    orders: np.ndarray | None = None


class Subject(Protocol):
    """Something that says which of two answers is better."""

    @property
    def how(self) -> dict[str, Any]:
        """How it was run, for the record."""
        ...

    def __call__(self, records: Records, subsets: Mapping[str, str]) -> Verdicts:
        """Judge pairs.

        Args:
            records: pairs.
            subsets: which subset a record belongs to, by its id.
        """
        ...


@dataclass(frozen=True)
class ByReward:
    """A reward model: the difference of two rewards, whatever the places."""

    model: RewardModel
    max_length: int

    @property
    def how(self) -> dict[str, Any]:
        return {**asdict(self.model.form), "scoring": self.model.policy.verdict.reason}

    def __call__(self, records: Records, subsets: Mapping[str, str]) -> Verdicts:
        encoded = self.model.encode(records, max_length=self.max_length)
        examples = ExampleData(encoded.dataset, records.kind)
        return Verdicts(judged_pairs(self.model, examples, subsets), _cut(encoded, len(records)))


@dataclass(frozen=True)
class ByUser:
    """A personal reward model: every pair by the reward of who labelled it; texts are cut as in its own fit."""

    model: PersonalModel

    @property
    def how(self) -> dict[str, Any]:
        return {"kind": "personal", "scale": 1.0, **self.model.described()}

    def __call__(self, records: Records, subsets: Mapping[str, str]) -> Verdicts:
        examples = self.model.examples(records)
        judged = judged_by_user(self.model.fitted, self.model.comparisons(records, examples), examples)
        found = replace(judged, subsets=[subsets[name] for name in judged.ids])
        return Verdicts(found, {"prompts": 0, "answers": 0, "left_out": len(records) - len(examples)})


@dataclass(frozen=True)
class ByLogRatio:
    """A policy's implicit reward, beta · (log π(y | x) − log π_ref(y | x)), nats.

    Args:
        policy: with its tokenizer.
        reference: of the same vocabulary.
        beta: scale.
        max_length: of prompt plus answer, tokens.
    """

    policy: CausalPolicy
    reference: CausalPolicy
    beta: float
    max_length: int

    @property
    def how(self) -> dict[str, Any]:
        return {"kind": "implicit", "scale": self.beta, "scoring": self.policy.verdict.reason}

    def __call__(self, records: Records, subsets: Mapping[str, str]) -> Verdicts:
        encoded = TextEncoder(self.policy.tokenizer, max_length=self.max_length).encode(records)
        examples = ExampleData(encoded.dataset, records.kind)
        everything = range(len(examples))
        trees = examples.trees(everything)
        sums = []
        for policy in (self.policy, self.reference):
            with policy.evaluating():
                sums.append(sequence_logps(policy.score_all(trees)).double().cpu().numpy())
        rewards = self.beta * (sums[0] - sums[1]).reshape(-1, 2)
        ids = [str(row["id"]) for row in examples.take(everything)]
        lengths = np.array([[len(branch) for branch in tree.branches] for tree in trees])
        pairs = JudgedPairs(ids, rewards, lengths, [subsets[name] for name in ids])
        return Verdicts(pairs, _cut(encoded, len(records)))


@dataclass(frozen=True)
class ByJudge:
    """A language model that is asked which of two answers is better, in both orders."""

    judge: LocalJudge

    @property
    def how(self) -> dict[str, Any]:
        return {"kind": "judge", "scale": 1.0, "scoring": "the odds of the letters A and B, in both orders"}

    def __call__(self, records: Records, subsets: Mapping[str, str]) -> Verdicts:
        rows = list(records)
        ids = [str(row["id"]) for row in rows]
        better, worse = ([as_text(row[side]) for row in rows] for side in ("chosen", "rejected"))
        orders = self.judge.orders([row["prompt"] for row in rows], better, worse).numpy()
        # Both columns are log-odds of the letter A: in the second that is the worse answer.
        signed = np.stack([orders[:, 0], -orders[:, 1]], 1)
        half = signed.mean(1) / 2
        tokens = [token_ids(self.judge.policy.tokenizer, texts) for texts in (better, worse)]
        lengths = np.array([[len(ids) for ids in pair] for pair in zip(*tokens, strict=True)])
        pairs = JudgedPairs(ids, np.stack([half, -half], 1), lengths, [subsets[name] for name in ids])
        return Verdicts(pairs, orders=signed)


def judged_pairs(model: RewardModel, examples: ExampleData, subsets: Mapping[str, str]) -> JudgedPairs:
    """What a reward model says of tokenised pairs.

    Args:
        model: whose tokens they are.
        examples: pairs.
        subsets: which subset a record belongs to, by its id.
    """
    everything = range(len(examples))
    trees = examples.trees(everything)
    ids = [str(row["id"]) for row in examples.take(everything)]
    return JudgedPairs(
        ids=ids,
        rewards=model.pair_rewards(trees).numpy(),
        lengths=np.array([[len(branch) for branch in tree.branches] for tree in trees]),
        subsets=[subsets[name] for name in ids],
        odds=model.form.says_odds,
    )


def load_subject(
    name: str,
    *,
    max_length: int,
    precision: Precision = "auto",
    reference: str | None = None,
    beta: float = 0.1,
    judge: bool = False,
) -> Subject:
    """Load what is to be judged.

    Args:
        name: folder or hub name.
        max_length: of prompt plus answer, tokens.
        precision: auto, float32 or bfloat16.
        reference: of policies, whose implicit reward is then meant.
        beta: scale of the implicit reward.
        judge: whether the model is asked which answer is better.

    Raises:
        ModelError: if it cannot be loaded, or is no reward model and there is no reference.
    """
    if judge:
        return ByJudge(LocalJudge(load_policy(name)))
    if is_personal(name):
        return ByUser(PersonalModel.load(name))
    if reference is None or gives_rewards(name):
        return ByReward(RewardModel.load(name, precision=precision), max_length)
    tokenizer = load_tokenizer(name)
    policy, base = (CausalPolicy(load_model(own), tokenizer, precision=precision) for own in (name, reference))
    return ByLogRatio(policy, base, beta, max_length)


def _cut(encoded: Encoded, given: int) -> dict[str, int]:
    """What was shortened or left out."""
    report = encoded.report
    return {
        "prompts": report.prompts_truncated,
        "answers": report.completions_truncated,
        "left_out": given - len(encoded.dataset),
    }
