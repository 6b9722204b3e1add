"""Held-out prompts as the starting and as the trained model is asked them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from truing.data.asking import Asking
from truing.data.derive import RELABELLINGS, with_prompts

if TYPE_CHECKING:
    from collections.abc import Callable

    from truing.data.records import Records
    from truing.training.examples import ExampleData

    Encode = Callable[[Records], ExampleData]


@dataclass(frozen=True)
class Questions:
    """Distinct prompts, each as token ids in both forms, in the same order.

    Attributes:
        plain: for the starting model.
        asked: for the trained model.
    """

    plain: list[list[int]]
    asked: list[list[int]]

    def first(self, count: int, times: int) -> Questions:
        """The first of them, each several times in a row."""
        places = [place for place in range(min(count, len(self.plain))) for _ in range(times)]
        return Questions([self.plain[i] for i in places], [self.asked[i] for i in places])


def asking_of(relabel: Sequence[str], records: Records) -> Asking:
    """How a model is to be asked that was trained on relabelled records.

    Args:
        relabel: names of the relabellings, in order.
        records: those of training, before they were relabelled.
    """
    found = Asking()
    for name in relabel:
        make = RELABELLINGS.get(name).asking
        if make is not None:
            found = found.then(make(records))
    return found


def questions(held_out: ExampleData, asking: Asking, source: Records | None, encode: Encode) -> Questions:
    """The prompts of held-out records.

    Args:
        held_out: as they are scored.
        asking: how the trained model is asked.
        source: the same records before they were relabelled; needed where that changes a prompt's text.
        encode: tokenises records.
    """
    if asking.text is None or source is None:
        seen = dict.fromkeys(tuple(tree.prompt) for tree in held_out.trees(range(len(held_out))))
        plain = [list(prompt) for prompt in seen]
        return Questions(plain, [[*asking.front, *prompt] for prompt in plain])
    changed = encode(with_prompts(source, asking.text, asking.words))
    asked = dict(zip(changed.rows["id"], changed.rows["prompt_ids"], strict=True))
    found: dict[tuple[int, ...], list[int]] = {}
    own = encode(source)
    for key, prompt in zip(own.rows["id"], own.rows["prompt_ids"], strict=True):
        if key in asked:
            found.setdefault(tuple(prompt), [*asking.front, *asked[key]])
    return Questions([list(prompt) for prompt in found], list(found.values()))
