"""Answers that models sample themselves: which data to collect next, how long they are and how far from the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from truing.diagnostics.collecting import LEAST_OWN, standing
from truing.diagnostics.pair_scores import PairScores
from truing.diagnostics.positions import PositionKL, kl_by_position
from truing.diagnostics.readings import Reading
from truing.statistics import mean, paired_difference

if TYPE_CHECKING:
    from truing.diagnostics.model import Options
    from truing.policies.causal import CausalPolicy
    from truing.policies.generation import Sampling
    from truing.policies.packing import Tree

AUDIT = "on-policy-negative-gradient"


def where_pairs_stand(scores: PairScores, own: Sequence[np.ndarray], *, whose: str) -> list[Reading]:
    """How many chosen and rejected answers are unlikely to a model, and what to do about it.

    Args:
        scores: of the pairs under the model.
        own: log-probabilities of the tokens of each answer that it sampled at temperature 1, nats.
        whose: "the model" or "the reference", for sentences.

    Returns:
        Two readings; none where the model said too little to compare with.
    """
    means = np.array([float(tokens.mean()) for tokens in own if len(tokens)])
    if len(means) < LEAST_OWN:
        return []
    per_token = scores.logps / scores.tokens
    found = standing(means, per_token[:, 0], per_token[:, 1])
    advice = found.advice
    doubt = "" if found.sure else " It is a close call: look at more pairs."
    return [
        Reading(
            AUDIT,
            "chosen_unlikely",
            f"chosen unlikely to {whose}",
            found.chosen_low,
            "share",
            f"{advice.means} Collect: {advice.collect} Use: {advice.use}{doubt}",
            "plain" if advice.case == "covered" else "note",
        ),
        Reading(
            AUDIT,
            "rejected_unlikely",
            "  rejected",
            found.rejected_low,
            "share",
            f"Less likely a token than 95 % of {len(means)} answers that {whose} sampled. In the middle, chosen "
            f"answers are likelier than {np.median(found.chosen):.0%} of these, rejected ones than "
            f"{np.median(found.rejected):.0%}; 50 % is usual.",
        ),
    ]


def beside_pairs(
    policy: CausalPolicy, scores: PairScores, trees: Sequence[Tree], options: Options
) -> list[Reading]:
    """Where pairs stand among answers of the model; nothing where it answers fewer than 20 prompts."""
    from truing.evaluation import samples
    from truing.policies.causal import DEFAULT_SCORING_TOKENS

    prompts = _prompts(trees, options)
    if len(prompts) < LEAST_OWN:
        return []
    answers = samples.answer(policy, prompts, _sampling(options))
    own = samples.score_answers(policy, prompts, answers, DEFAULT_SCORING_TOKENS)
    return where_pairs_stand(scores, own, whose="the model")


def _prompts(trees: Sequence[Tree], options: Options) -> list[list[int]]:
    """Different prompts to answer."""
    return [list(p) for p in dict.fromkeys(tuple(tree.prompt) for tree in trees)][: options.samples]


def _sampling(options: Options) -> Sampling:
    from truing.policies.generation import Sampling

    return Sampling(max_new_tokens=options.max_new_tokens, temperature=1.0)


def of_both(
    policy: CausalPolicy, other: CausalPolicy, scores: PairScores, trees: Sequence[Tree], options: Options
) -> tuple[list[Reading], list[PositionKL]]:
    """Answers of both models to the same prompts: where pairs stand, length, and distance by position.

    ``scores`` are those of the pairs under the reference, since data are collected for what training starts from.
    """
    from truing.evaluation import samples
    from truing.policies.causal import DEFAULT_SCORING_TOKENS

    prompts = _prompts(trees, options)
    if len(prompts) < 5:
        return [], []
    ours, theirs = (samples.answer(p, prompts, _sampling(options)) for p in (policy, other))
    own, base = (samples.score_answers(p, prompts, ours, DEFAULT_SCORING_TOKENS) for p in (policy, other))
    before = samples.score_answers(other, prompts, theirs, DEFAULT_SCORING_TOKENS)
    grown = paired_difference([len(t) for t in ours.tokens], [len(t) for t in theirs.tokens])
    kl = mean(samples.kl_of_samples(own, base))
    way = "longer" if grown.value > 0 else "shorter"
    readings = [
        *where_pairs_stand(scores, before, whose="the reference"),
        Reading(
            "",
            "length_drift",
            "length of sampled answers",
            grown,
            "Δ tokens",
            f"Its own answers are {way} than the reference's."
            if grown.excludes_zero
            else "Answers kept their length.",
            "note" if grown.excludes_zero else "plain",
        ),
        Reading(
            "",
            "kl",
            "distance from the reference",
            kl,
            "nats an answer",
            f"KL on {len(prompts)} answers that the model sampled, of at most {options.max_new_tokens} tokens.",
        ),
    ]
    return readings, kl_by_position(own, base)
