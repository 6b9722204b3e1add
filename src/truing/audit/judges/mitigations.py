"""What is said to help a judge against its biases: warnings, examples, a second look (2504.09946)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from truing.audit.judges.injections import INJECTIONS, Injection
from truing.chat.model import ChatModel
from truing.errors import check_name
from truing.judging.comparer import Comparer
from truing.judging.comparers import TextVerdicts
from truing.judging.presentation import Shown
from truing.judging.reflection import AGAIN, REFLECT
from truing.judging.verdict import UNREAD, Opinion
from truing.judging.wording import Wording

Example = tuple[Shown, str]
"""A pair with a cue towards its wrong answer, and the label of the right one."""


@dataclass(frozen=True)
class Warned(Wording):
    """A wording that says what not to be moved by.

    Args:
        against: in words.
    """

    against: str = ""

    def question(self, shown: Shown) -> list[dict[str, str]]:
        """The conversation with the warning at the end of its system message."""
        head, *rest = super().question(shown)
        told = f"{head['content']} Do not let yourself be moved by {self.against}; look at the content alone."
        return [{**head, "content": told}, *rest]


@dataclass(frozen=True)
class WithExamples(Wording):
    """A wording that shows solved examples first.

    Args:
        examples: judged as turns of the conversation.
    """

    examples: tuple[Example, ...] = ()

    def question(self, shown: Shown) -> list[dict[str, str]]:
        """The conversation with the examples between system message and question."""
        head, *rest = super().question(shown)
        turns = []
        for pair, right in self.examples:
            _, asked = super().question(pair)
            turns += [asked, {"role": "assistant", "content": f'{{"verdict": "{right}"}}'}]
        return [head, *turns, *rest]


@dataclass(frozen=True)
class SecondLook:
    """A comparer that says something to the judge after its verdict, and takes the next one.

    Args:
        chat: the judge.
        wording: how it is asked.
        say: what it is told.
    """

    chat: ChatModel
    wording: Wording
    say: str

    @property
    def name(self) -> str:
        return self.chat.name

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """The second opinion on each; none where the first could not be read."""
        questions = [self.wording.question(item) for item in shown]
        replies = self.chat(questions, lambda reply: reply or None)
        known = [
            place
            for place, (item, reply) in enumerate(zip(shown, replies, strict=True))
            if reply is not None and self.wording.read(reply, item.labels) is not None
        ]
        found: list[Opinion] = [UNREAD] * len(shown)
        for labels in dict.fromkeys(shown[place].labels for place in known):
            places = [place for place in known if shown[place].labels == labels]
            asked = [
                [
                    *questions[place],
                    {"role": "assistant", "content": str(replies[place])},
                    {"role": "user", "content": self.say},
                ]
                for place in places
            ]
            said = self.chat(asked, partial(self.wording.read, labels=labels))
            for place, opinion in zip(places, said, strict=True):
                found[place] = opinion or UNREAD
        return found


@dataclass(frozen=True)
class Setting:
    """What a mitigation is made of.

    Args:
        chat: the judge.
        wording: how it is asked without a mitigation.
        injection: the cue that is looked at.
        examples: pairs with that cue, and the right verdicts.
    """

    chat: ChatModel
    wording: Wording
    injection: Injection
    examples: tuple[Example, ...]

    def warned(self, against: str) -> Comparer:
        """The judge with a warning."""
        own = self.wording
        return TextVerdicts(self.chat, Warned(own.form, own.criteria, own.ties, own.abstention, against))

    def taught(self) -> Comparer:
        """The judge with the examples."""
        own = self.wording
        return TextVerdicts(
            self.chat, WithExamples(own.form, own.criteria, own.ties, own.abstention, self.examples)
        )


def _general(setting: Setting) -> Comparer:
    everything = ", ".join(dict.fromkeys(own.what for own in INJECTIONS.values()))
    return setting.warned(f"anything but the answers, such as {everything}")


MITIGATIONS: Mapping[str, Callable[[Setting], Comparer]] = {
    "targeted": lambda setting: setting.warned(setting.injection.what),
    "general": _general,
    "examples": lambda setting: setting.taught(),
    "reflection": lambda setting: SecondLook(setting.chat, setting.wording, REFLECT),
    "asked-again": lambda setting: SecondLook(setting.chat, setting.wording, AGAIN),
}
"""By name: a warning of the one bias, of all, five solved examples, a second look, and one without a reason."""


def mitigations_named(names: Sequence[str]) -> dict[str, Callable[[Setting], Comparer]]:
    """Mitigations; asking again comes with reflection, which is judged against it.

    Raises:
        DataError: on a name that is none.
    """
    for name in names:
        check_name("mitigation", name, MITIGATIONS, "--mitigate")
    wanted = [*names, *(["asked-again"] if "reflection" in names else [])]
    return {name: MITIGATIONS[name] for name in dict.fromkeys(wanted)}


def example_of(shown: Shown, right: int, injection: Injection, judge: str) -> Example:
    """A pair with a cue towards its wrong answer, as an example; ``right`` is the place of the right one."""
    return injection.into(shown, 1 - right, judge), shown.labels[right]
