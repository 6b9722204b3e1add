"""Protocols of judges with one mistake in them: each maps a protocol to one with a bug."""

from __future__ import annotations

from dataclasses import replace

from truing.judging.presentation import ORDERS, SINGLE, Pair
from truing.judging.reflection import Reflection
from truing.judging.verdict import Opinion


def one_order(judge):
    """The second order is not asked for."""
    return lambda comparer, pairs, **k: judge(comparer, pairs, **{**k, "presentations": SINGLE})


def not_mapped_back(judge):
    """The second order's verdict names places, and not answers."""

    def run(comparer, pairs, *, presentations=ORDERS, **k):
        class Turned:
            name = "turned"

            def __call__(self, shown):
                said = comparer(shown)
                width = len(presentations)
                return [
                    opinion.swapped() if presentations[place % width].swapped else opinion
                    for place, opinion in enumerate(said)
                ]

        return judge(Turned(), pairs, presentations=presentations, **k)

    return run


def first_wins_ties(judge):
    """A contradiction counts for A."""

    def run(*a, **k):
        return [replace(v, winner="A", share=1.0) if v.winner == "tie" else v for v in judge(*a, **k)]

    return run


def labels_not_permuted(judge):
    return lambda comparer, pairs, **k: judge(comparer, pairs, **{**k, "presentations": ORDERS})


def always_the_same_order(vote):
    """Rounds do not take turns."""

    def run(comparers, pairs, **k):
        return vote(comparers, pairs, merge=lambda shown, said: _plain(said), **k)

    return run


def _plain(said):
    from truing.judging.merging import plurality
    from truing.judging.presentation import Presentation

    return plurality([Presentation()] * len(said), said)


def first_round_decides(vote):
    return lambda comparers, pairs, **k: vote(comparers[:1], pairs, **k)


def higher_loses(judge):
    return lambda chat, pairs, **k: [verdict.swapped() for verdict in judge(chat, pairs, **k)]


def grades_of_the_first(judge):
    """Both answers get the first one's grade."""
    return lambda chat, pairs, **k: judge(chat, [Pair(p.prompt, p.a, p.a) for p in pairs], **k)


def next_reference(judge):
    """References are shifted by one."""

    def run(comparer, pairs, **k):
        moved = [*pairs[1:], pairs[0]]
        return judge(comparer, [replace(p, reference=q.reference) for p, q in zip(pairs, moved, strict=True)], **k)

    return run


def reference_is_dropped(judge):
    from truing.judging.pairwise import pairwise_judge

    return lambda comparer, pairs, **k: pairwise_judge(comparer, [replace(p, reference=None) for p in pairs], **k)


def second_looks_exchanged(judge):
    def run(*a, **k):
        found = judge(*a, **k)
        return Reflection(found.first, found.again, found.reflected)

    return run


def reflection_is_not_read(judge):
    def run(*a, **k):
        found = judge(*a, **k)
        return Reflection(found.first, found.first, found.again)

    return run


# -- PORTIA ----------------------------------------------------------------------------------------------


def never_cut(portia):
    """Only whole answers are shown."""

    def run(comparer, pairs, **k):
        return [replace(own, verdict=own.before or own.verdict, parts=()) for own in portia(comparer, pairs, **k)]

    return run


def parts_in_a_row(portia):
    """All parts of one answer before those of the other."""

    def run(comparer, pairs, **k):
        class Whole:
            name = "whole"

            def __call__(self, shown):
                return comparer([replace(item, parts=()) for item in shown])

        return portia(Whole(), pairs, **k)

    return run


def every_stage(portia):
    """A consistent judge is asked on."""

    def run(comparer, pairs, **k):
        first = portia(comparer, pairs, **k)
        second = portia(comparer, pairs, **{**k, "plain_first": False})
        return [replace(own, asked=own.asked + other.asked) for own, other in zip(first, second, strict=True)]

    return run


def by_length_alone(portia):
    """No search for the cuts: similarity says nothing."""
    import numpy as np

    return lambda comparer, pairs, **k: portia(
        comparer, pairs, **{**k, "similarity": lambda left, right: np.zeros((len(left), len(right)))}
    )


def stripped(portia):
    """White space at the ends of parts is lost."""

    def run(comparer, pairs, **k):
        return [
            replace(own, parts=tuple((left.strip(), right.strip()) for left, right in own.parts))
            for own in portia(comparer, pairs, **k)
        ]

    return run


def letters_decide(portia):
    """Cut answers are judged by their names."""

    def run(comparer, pairs, **k):
        class Names:
            name = "names"

            def __call__(self, shown):
                said = comparer(shown)
                return [
                    Opinion(float(item.first < item.second)) if item.parts else own
                    for item, own in zip(shown, said, strict=True)
                ]

        return portia(Names(), pairs, **k)

    return run
