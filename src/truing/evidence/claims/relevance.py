"""R3, the regularised relevance reward (2402.03469), on answers made by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.rewards.algebra import Columns
from truing.rewards.functions.relevance import Relevance

Make = Callable[..., Relevance]

_ASKED = "Why do leaves change their colour in autumn?"
_ON_TOPIC = (
    "Leaves look green because of chlorophyll, the pigment with which a tree turns light into sugar. When "
    "autumn comes, days grow short and cold, so the tree stops making chlorophyll and the green fades. Yellow "
    "and orange pigments were in the leaves all summer, hidden by the green, and now their colour shows. Some "
    "trees also make red pigments from sugar that is left behind. The colours change most where nights are cold "
    "and days are bright."
)
_OFF_TOPIC = (
    "To bake good bread you need flour, water, salt and yeast. Mix everything in a large bowl, knead the dough "
    "for ten minutes, then let it rest under a towel until it has doubled. Shape a loaf, give it another hour, "
    "and heat the oven as far as it goes with a pan of water inside. Bake until the crust is dark and the "
    "bottom sounds hollow when you knock on it. Wait before you cut it, or the crumb will be sticky."
)
OPEN = {
    "copy": _ASKED,
    "long repetitive": " ".join([_ASKED] * 9),
    "long off-topic": _OFF_TOPIC,
    "short on-topic": "The leaves lose their green pigment.",
    "long on-topic": _ON_TOPIC,
}

_FACT = "Which pigment makes leaves green?"
_REFERENCE = "The pigment chlorophyll makes leaves green."
CLOSED = {
    "copy": _FACT,
    "long repetitive": " ".join([_FACT] * 9),
    "long off-topic": _OFF_TOPIC,
    "short on-topic": "It is chlorophyll, which makes leaves green.",
    "long on-topic": _ON_TOPIC,
}


def _best(make: Make, closed: bool, **settings: object) -> tuple[str, dict[str, float]]:
    """Which answer has the highest reward, and all rewards."""
    answers = CLOSED if closed else OPEN
    count = len(answers)
    columns: Columns = {"kind": ["closed" if closed else "open"] * count, "answer": [_REFERENCE] * count}
    scorer = make(length=60, kind="kind", **settings)
    values = scorer([_FACT if closed else _ASKED] * count, list(answers.values()), columns).values[:, 0].tolist()
    found = dict(zip(answers, values, strict=True))
    return max(found, key=lambda name: found[name]), found


@claim(
    method="r3-relevance",
    statement="Of a copy of the query, a long repetitive, a long off-topic, a short and a long on-topic answer, "
    "relevance alone prefers the copy (cosine 1), and QR·LI·RP the long on-topic answer.",
    source="catalogue, r3-relevance: hand-made candidates; 2402.03469: relevance alone is hacked",
)
def long_and_on_topic_where_prompts_are_open(make: Make, seed: int) -> Measurement:
    count = len(OPEN)
    terms = make(length=60).terms([_ASKED] * count, list(OPEN.values()))
    best, rewards = _best(make, closed=False)
    others = max(reward for name, reward in rewards.items() if name != "long on-topic")
    hacked = int(terms["query"].argmax()) == 0 and abs(float(terms["query"][0]) - 1) < 1e-6
    return above(
        0.0, rewards[best] - others if hacked and best == "long on-topic" else math.nan, "reward", **rewards
    )


@claim(
    method="r3-relevance",
    statement="For a factual prompt AR·RP prefers the short on-topic answer among the same five: length is no "
    "aim there.",
    source="catalogue, r3-relevance: hand-made candidates",
)
def short_and_on_topic_where_prompts_are_closed(make: Make, seed: int) -> Measurement:
    best, rewards = _best(make, closed=True)
    others = max(reward for name, reward in rewards.items() if name != "short on-topic")
    return above(0.0, rewards[best] - others if best == "short on-topic" else math.nan, "reward", **rewards)


@claim(
    method="r3-relevance",
    statement="Nine copies of a query of 8 words keep 8/70 = 0.114 of their reward: of 70 runs of three words, 8 are "
    "different.",
    source="2402.03469: repetition penalty; by hand, 9 copies of 8 words",
)
def repetition_is_worth_its_share(make: Make, seed: int) -> Measurement:
    scorer = make(length=60)
    terms = scorer.terms([_ASKED], [OPEN["long repetitive"]])
    reward = float(scorer([_ASKED], [OPEN["long repetitive"]]).values)
    return equals(8 / 70, reward / float(terms["query"]), 1e-9, "share")


@claim(
    method="r3-relevance",
    statement="A long answer off the subject gets less than a short one on it, which is what reward models are "
    "said to get wrong.",
    source="2402.03469, preliminary study",
)
def off_topic_is_worth_little(make: Make, seed: int) -> Measurement:
    _, rewards = _best(make, closed=False)
    return above(0.0, rewards["short on-topic"] - rewards["long off-topic"], "reward", **rewards)
