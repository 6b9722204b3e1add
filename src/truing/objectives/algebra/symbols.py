"""The meaning of every symbol that formulas use."""

from __future__ import annotations

import re


def _score(side: str, which: str) -> tuple[str, str, str]:
    return (
        rf"r_{side}\b",
        f"r_{side}",
        f"log-ratio of {which} completion: its log-probability under the policy minus that under the reference, "
        "nats, summed over its tokens",
    )


# Pattern, symbol, meaning; in the order in which a legend lists them.
_SYMBOLS: tuple[tuple[str, str, str], ...] = (
    _score("w", "the chosen (or liked)"),
    _score("l", "the rejected (or disliked)"),
    _score("k", "the k-th"),
    (r"\bR\(", "R(y)", "what the reward model's head says of a completion, read at its last token"),
    (
        r"log p\(c\)",
        "log p(c)",
        "log-probability of an answer's critique, which stands behind it and which the score reads, nats, over its |c| "
        "tokens",
    ),
    (r"− ρ\)²", "ρ", "rating of the answer, as a share of the way from the lowest rating to the highest"),
    (
        r"\bZ(_k)?\(v\)",
        "Z_k(v)",
        "negative log-likelihood of the value v under head k, which gives it a probability of 0 and a log-normal else",
    ),
    (r"\bu_k\b", "u_k", "weight of head k: softmax of the selector's logits over a falling temperature"),
    (r"\bO\(v\)", "O(v)", "cross-entropy of whether there is a value, under the selector's mixture of heads"),
    (
        r"\bA\(v\)",
        "A(v)",
        "cross-entropy of the selector against the best head, plus its divergence from all heads'",
    ),
    (
        r"\bs\(y",
        "s",
        "the skew-symmetric form of both answers' embeddings; half of it stands on each side, with opposite signs",
    ),
    (r"\bat θ [+−] ", "θ", "the weights; the gradient is taken a step away from them"),
    (r"y_w\b", "y_w", "the chosen (or liked) completion"),
    (r"y_l\b", "y_l", "the rejected (or disliked) completion"),
    (r"y_k\b", "y_k", "the k-th completion of a prompt"),
    (r"\|R\(y_i\)", "y_i, y_j", "two samples among the k of a prompt"),
    (r"(?<!\|R\()y_i\b", "y_i", "a completion of the same prompt with a lower reward than y_k"),
    (r"c_w\b", "c_w", "the code for wanted answers: learned virtual tokens in front of the prompt"),
    (r"c_l\b", "c_l", "the code for unwanted answers"),
    (r"log π\(", "log π(y)", "log-probability of a completion under the policy, nats, summed over its tokens"),
    (r"log ref\(", "log ref(y)", "the same under the reference"),
    (
        r"log π̄\(",
        "log π̄(y)",
        "weighted mean of the same under the opponents, or under the policy that drew the answers; no gradient",
    ),
    (
        r"P\(y_k",
        "P(y_k ≻ y_j)",
        "probability that an answer is preferred to another one of the prompt; no gradient",
    ),
    (
        r"\(ref/π\)",
        "ref/π",
        "how likely an answer is under the reference against the policy that drew it; no gradient",
    ),
    (r"mean_j", "mean_j", "mean over the prompt's other answers"),
    (r"\|y_\w\|", "|y|", "number of tokens of a completion"),
    (r"p_\w\b", "p", "probability of a token on average, exp(log π(y)/|y|)"),
    (r"q_\w\b", "q", "the same under the reference"),
    (r"(?<!log )π\(", "π(y)", "probability of a completion under the policy"),
    (r"(?<!log )(?<!_)ref\(", "ref(y)", "probability of a completion under the reference"),
    (r"odds\(", "odds(y)", "p/(1 − p) with p = exp(log π(y)/|y|)"),
    (r"odds_ref\(", "odds_ref(y)", "the same under the reference"),
    (r"ld\(", "ld(·, α)", "the same sum, in which tokens after the first min(|y_w|, |y_l|) count α"),
    (r"z₀", "z₀", "mean log-ratio of completions under another prompt, at least 0; no gradient"),
    (r"p_b\b", "p_b", "the record's probability that chosen is preferred; 1 without the column preference"),
    (
        r"InfoNCE\(",
        "InfoNCE(h_w − h_l, τ)",
        "−log of the share that the pair itself has in Σ_j e^(cos(d, d′_j)/τ) over the batch's pairs; d and d′ are the "
        "differences of the two answers' states at the reward head under two masks",
    ),
    (
        r"λ_s",
        "λ_s",
        "weight of the record's source, over its share of the batch: that of the shortest combination of the sources' "
        "gradients, averaged over steps; no gradient",
    ),
    (
        r"α̂",
        "α̂",
        "mixing weight of smallest mean squared error, from gradients of groups of records so far; no gradient",
    ),
    (r"δ", "δ", "midpoint of the mean log-ratios of liked and of disliked completions so far; no gradient"),
    (
        r"\bw\(",
        "w(y)",
        "exp(mean over tokens of [log π(y_t) − log Σ_v π(v)²]), how likely the policy is to write y itself; a "
        "product of two is at most 1; no gradient",
    ),
    (
        r"ρ\(x\)",
        "ρ(x)",
        "how much likelier the prompt is among liked answers than among disliked ones, within bounds; no gradient",
    ),
    (r"s̄", "s̄", "mean over the other models of log p(y)/|y|, each with its own tokens, nats a token; no gradient"),
    (r"\br_t\b", "r_t", "log-ratio of one token, nats"),
    (r"\bm\b", "m", "weight of a token, from the reference's states"),
    (r"m_u\b", "m_u", "weight of a token's log-ratio, from the reference's states"),
    (r"m_d\b", "m_d", "weight of a token's divergence, from the reference's states"),
    (r"\|m(?:_\w)?\(", "|m|₁", "sum of a mask over the tokens of a completion"),
    (
        r"KL_t\b",
        "KL_t",
        "KL(p ‖ π) of the next-token distributions at one token, where p is the reference's, or the teacher's where "
        "there is one, nats",
    ),
    (
        r"Σ_a π·A",
        "Σ_a π·A",
        "the advantage that the policy can expect at one token: Σ over the vocabulary of π(a)·[log teacher(a) − log of "
        "the same before its alignment], nats",
    ),
    (
        r"‖h−c·u‖²_t",
        "‖h−c·u‖²_t",
        "squared distance of one layer's state at a token from c·u, u a fixed random direction of length 1",
    ),
    (r"‖h−h_ref‖²_t", "‖h−h_ref‖²_t", "squared distance of that state from the reference's"),
    (r"ρ_t", "ρ_t", "how much likelier a token is now than when it was drawn"),
    (r"ρ_k", "ρ_k", "how much likelier an answer is now than when it was drawn"),
    (r"clip\(", "clip(ρ)·A", "the smaller of ρ·A and of A times ρ within its bounds around 1"),
    (r"Â_t", "Â_t", "advantage of a token when it was drawn, by generalised advantage estimation; no gradient"),
    (r"V_t", "V_t", "what the critic expects of the answer before a token"),
    (r"G_t", "G_t", "advantage plus the critic's value when the token was drawn; no gradient"),
    (r"r̄(?!_)", "r̄", "mean reward of the prompt's answers; no gradient"),
    (r"r̄_o", "r̄_o", "mean reward of the prompt's other answers; no gradient"),
    (r"\)/s(?!_)\b", "s", "standard deviation of the rewards of the prompt's answers; no gradient"),
    (r"r̄_b", "r̄_b", "mean reward of the global batch; no gradient"),
    (r"s_b", "s_b", "standard deviation of the rewards of the global batch; no gradient"),
    (r"\br_k\b", "r_k", "log-ratio of a sampled answer when it was drawn, nats; no gradient"),
    (r"c_k", "c_k", "1 for a right answer, 0 for a wrong one"),
    (r"q·ρ", "q", "share of right answers of the prompt; no gradient"),
    (
        r"KL3",
        "KL3",
        "ref/π − 1 − log(ref/π) of a token, an estimate of the KL divergence from the reference, nats",
    ),
    (r"Σ_t", "Σ_t", "sum over the tokens of an answer"),
    (r"mean_kt", "mean_kt", "mean over all tokens of the batch"),
    (r"mean_t", "mean_t", "mean over the tokens of a completion"),
    (r"mean_k", "mean_k", "mean over the policy's own samples"),
    (r"\bCE\b", "CE", "cross-entropy of an answer's grade under a classifier of its mean state, nats"),
    (
        r"π/q\b",
        "π/q",
        "how much likelier a sample is under the policy than under the one that drew it; 1 where that is the same; no "
        "gradient",
    ),
    (
        r"\bt\b",
        "t",
        "how much likelier a sample is under the policy than under the target, which is the reference tilted by the "
        "reward; no gradient",
    ),
    (r"\bB\b", "B", "mean of what stands before it over the other samples of the prompt; no gradient"),
    (r"⟩_(\w+)", r"⟨·⟩_\1", r"the same on the part of the data that is called \1"),
    (
        r"1\[agreed\]",
        "1[agreed]",
        "1 where v_I and v_J are on the same side of ½ and both sure enough, else 0; no gradient",
    ),
    (r"1\[sure\]", "1[sure]", "1 where v_I and v_J are both sure enough, whatever they say, else 0; no gradient"),
    (
        r"v_I\b",
        "v_I, v_J",
        "the model's verdicts on a pair: by the gap of its log-ratios, and by what it says when it is asked, mean of "
        "both orders",
    ),
    (r"v̄", "v̄", "their mean"),
    (r"\bJS\(", "JS", "Jensen–Shannon divergence: entropy of the mean minus mean of the entropies, nats"),
    (r"\bH\(v̄", "H", "entropy, nats"),
    (r"\bmargin\b", "margin", "the record's own margin, from the data"),
    (r"β_batch", "β_batch", "coefficient of the batch, from the gaps that its pairs have now; no gradient"),
    (r"η", "η", "probability that the pair's annotator labels rightly, estimated in training; no gradient"),
    (r"reward_", "reward_k", "the score that the data, or the rewards of the run, give the k-th completion"),
    (r"softmax_k", "softmax_k", "e^x_k / Σ_j e^x_j over the completions of one prompt"),
    (r"Σ \|", "Σ", "sum over the batch"),
    (r"sort\(", "sort(·)", "values of the global batch in ascending order; the i-th is compared with the i-th"),
    (r"KL\(", "KL(q ‖ p)", "q log(q/p) + (1 − q) log((1 − q)/(1 − p))"),
    (r"σ\(", "σ(x)", "1/(1 + e^(−x))"),
)


def legend(text: str) -> list[str]:
    """``"symbol: meaning"`` for every symbol that ``text`` uses."""
    lines = [
        f"{found.expand(symbol)}: {found.expand(meaning)}"
        for pattern, symbol, meaning in _SYMBOLS
        for found in re.finditer(pattern, text)
    ]
    return list(dict.fromkeys(lines))
