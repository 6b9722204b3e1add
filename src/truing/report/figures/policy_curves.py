"""What is drawn over the steps of a policy's training."""

from __future__ import annotations

from truing.report.figures.curves import Level
from truing.report.figures.learning import OPTIMISATION, Spec, chance
from truing.report.reading import Run


def _start(run: Run) -> list[Level]:
    """Where training began."""
    return [Level(0.0, "as the reference")]


def _budget(run: Run) -> list[Level]:
    budget = run.record.number("recipe", "alarms", "kl_budget")
    return [] if budget is None else [Level(budget, "budget")]


POLICY_CURVES: tuple[tuple[str, tuple[Spec, ...]], ...] = (
    (
        "Did it learn from its own answers?",
        (
            Spec(
                "online-reward",
                "Reward of its answers",
                "online/reward",
                "mean reward",
                "Of the answers drawn for each step. Where it rises and answers do not get better, it is hacked.",
                special=True,
            ),
            Spec(
                "online-best",
                "Reward of the best answer",
                "online/best",
                "mean over prompts",
                "Of each prompt's best answer: what imitation of it could reach.",
                special=True,
            ),
            Spec(
                "online-flat",
                "Prompts that teach nothing",
                "online/flat",
                "share of prompts",
                "All answers are worth the same: too easy, too hard, or always the same answer.",
                share=True,
                special=True,
            ),
            Spec(
                "online-distinct",
                "Variety of its answers",
                "online/distinct",
                "share of a prompt's answers",
                "Answers to a prompt that differ from each other. Near 0 there is nothing left to compare.",
                share=True,
                special=True,
            ),
            Spec(
                "online-gap",
                "Best answer against the others",
                "online/gap",
                "win rate above one half",
                "How much more than half of the other drawn answers the best one beats. A fall says that the policy "
                "plays its best answers.",
                special=True,
            ),
            Spec(
                "verdicts-agreed",
                "Verdicts that agree",
                "verdicts/agreed",
                "share of pairs",
                "Pairs that the model judges alike when it is asked in two ways; only these are learned from.",
                share=True,
                special=True,
            ),
            Spec(
                "verdicts-right",
                "Verdicts that are right",
                "verdicts/right",
                "share of agreed pairs",
                "Of the pairs that it judges alike, those in which the reward says the same.",
                share=True,
                special=True,
            ),
            Spec(
                "online-length",
                "Length of its answers",
                "online/length",
                "tokens",
                "Answers that only grow longer are a common way to please a reward.",
                special=True,
            ),
        ),
    ),
    (
        "Did it learn the preference?",
        (
            Spec(
                "loss",
                "Loss",
                "loss",
                "loss",
                "What training minimises. Held-out loss that rises is over-fitting.",
            ),
            Spec(
                "accuracy",
                "Preference accuracy",
                "rewards/accuracy",
                "share of pairs",
                "Pairs in which the chosen answer has the higher implicit reward. "
                "Shaded: 95 % interval of the held-out value.",
                share=True,
                levels=chance,
                counts_records=True,
            ),
            Spec(
                "rewards",
                "Implicit rewards",
                "rewards",
                "implicit reward",
                "How much more likely than under the reference an answer became, as the objective scales it.",
                sides=True,
                levels=_start,
            ),
            Spec(
                "margin",
                "Reward margin",
                "rewards/margin",
                "chosen − rejected reward",
                "The gap between the two rewards. It can grow while accuracy and answers do not improve.",
                levels=_start,
            ),
        ),
    ),
    (
        "What happened to the likelihood of the answers?",
        (
            Spec(
                "displacement",
                "Displacement",
                "log_ratio",
                "change in log-probability, nats per answer",
                "Change against the reference. Chosen answers below 0 became less likely, which is common where "
                "only the difference of the two is trained.",
                sides=True,
                levels=_start,
            ),
        ),
    ),
    (
        "How far did the model move?",
        (
            Spec(
                "kl",
                "Distance from the reference",
                "kl",
                "KL estimate, nats per answer",
                "Estimated on the answers in the data. Far from the reference, gains in reward are extrapolation.",
                levels=_budget,
            ),
            Spec(
                "entropy",
                "Entropy of the ten likeliest tokens",
                "tokens/topk_entropy",
                "bits per token",
                "A rise that turns into a fall is a sign of over-optimisation.",
            ),
            Spec(
                "mass",
                "Mass of the ten likeliest tokens",
                "tokens/topk_mass",
                "share of the probability",
                "A fall means that probability goes to tokens that were unlikely before.",
                share=True,
            ),
        ),
    ),
    (
        "Which tokens carry the preference?",
        tuple(
            Spec(
                f"density-{name}",
                title,
                f"density/mask:{name}",
                "share of tokens with weight",
                "A mask that falls to 0 everywhere has no gradient any more, and nothing is learned: lower its price.",
                share=True,
                special=True,
            )
            for name, title in (
                ("common", "Density of the mask"),
                ("reward", "Density of the reward's mask"),
                ("divergence", "Density of the divergence's mask"),
            )
        ),
    ),
    OPTIMISATION,
)
