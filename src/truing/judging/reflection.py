"""A judge that is asked to look for its own biases and decide anew, or is just asked again (2504.09946)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from truing.chat.model import ChatModel
from truing.judging.merging import Merge, conservative
from truing.judging.method import judging
from truing.judging.presentation import ORDERS, Pair, Presentation, Shown
from truing.judging.verdict import UNREAD, Opinion, Verdict
from truing.judging.wording import RELATION, Wording
from truing.registry import Paper
from truing.statistics import Estimate, rate

REFLECT = (
    "Look at your verdict once more. Might it come from the order of the answers, their length, their tone, a claimed "
    "authority or majority, or a remark that is beside the point? Then decide anew, and reply in the same form."
)
AGAIN = "Answer the question once more, and reply in the same form."


@dataclass(frozen=True)
class Reflection:
    """Verdicts before and after.

    Attributes:
        first: what the judge said.
        reflected: after it was asked to look for biases.
        again: after it was asked again without a reason, which is what a chance to change one's mind is worth.
    """

    first: list[Verdict]
    reflected: list[Verdict]
    again: list[Verdict]

    @property
    def changed(self) -> Estimate:
        """Share of pairs on which reflection changed the verdict."""
        return _changed(self.first, self.reflected)

    @property
    def changed_again(self) -> Estimate:
        """Share of pairs on which asking again did."""
        return _changed(self.first, self.again)


@judging(
    name="self-reflection-judge",
    slug="pairwise-judge",
    paper=Paper("Assessing Judging Bias in Large Reasoning Models: An Empirical Study", 2025, "2504.09946"),
    summary="Asks a judge to look for its own biases and to decide anew, and tells that apart from asking again.",
    formula="worth of reflection = measure(v after reflection) − measure(v after asking again)",
    legend=("v: merged verdicts of two answers in both orders", "measure: consistency, or agreement with labels"),
    use_when="A judge reads long conversations well, and its biases are known by name.",
    avoid_when="The verdict changes as often when the judge is just asked again: then it is noise that was bought.",
    requires=("pairs of answers", "a chat model as judge"),
    cost="three questions for each presentation: six for both orders",
)
def self_reflection(
    chat: ChatModel,
    pairs: Sequence[Pair],
    *,
    wording: Wording | None = None,
    presentations: Sequence[Presentation] = ORDERS,
    merge: Merge = conservative,
) -> Reflection:
    """Verdicts before and after reflection, and after asking again.

    Args:
        chat: the judge.
        pairs: of answers.
        wording: how it is asked.
        presentations: in which each pair is shown.
        merge: what the opinions on a pair come to.

    Raises:
        RunError: if the judge does not answer, or none of several replies can be read.
    """
    asked = wording or Wording(RELATION)
    shown = [presentation.show(pair) for pair in pairs for presentation in presentations]
    questions = [asked.question(item) for item in shown]
    replies = _said(chat, asked, questions, shown)
    follow_ups = {
        say: _said(
            chat,
            asked,
            [_further(question, reply, say) for question, (_, reply) in zip(questions, replies, strict=True)],
            shown,
        )
        for say in (REFLECT, AGAIN)
    }

    def merged(found: Sequence[tuple[Opinion, str]], before: Sequence[tuple[Opinion, str]]) -> list[Verdict]:
        # Who could not be read the first time has nothing to reflect on.
        said = [UNREAD if first.unread else own for (own, _), (first, _) in zip(found, before, strict=True)]
        width = len(presentations)
        return [merge(presentations, said[start : start + width]) for start in range(0, len(said), width)]

    return Reflection(
        merged(replies, replies), merged(follow_ups[REFLECT], replies), merged(follow_ups[AGAIN], replies)
    )


def _said(
    chat: ChatModel, wording: Wording, questions: Sequence[list[dict[str, str]]], shown: Sequence[Shown]
) -> list[tuple[Opinion, str]]:
    found: list[tuple[Opinion, str]] = [(UNREAD, "")] * len(questions)
    for labels in dict.fromkeys(item.labels for item in shown):

        def read(reply: str, labels: tuple[str, str] = labels) -> tuple[Opinion, str] | None:
            opinion = wording.read(reply, labels)
            return None if opinion is None else (opinion, reply)

        places = [place for place, item in enumerate(shown) if item.labels == labels]
        for place, said in zip(places, chat([questions[place] for place in places], read), strict=True):
            found[place] = said or (UNREAD, "")
    return found


def _further(question: list[dict[str, str]], reply: str, say: str) -> list[dict[str, str]]:
    return [*question, {"role": "assistant", "content": reply}, {"role": "user", "content": say}]


def _changed(before: Sequence[Verdict], after: Sequence[Verdict]) -> Estimate:
    known = [
        first.winner != second.winner
        for first, second in zip(before, after, strict=True)
        if "abstain" not in (first.winner, second.winner)
    ]
    return rate(sum(known), len(known))
