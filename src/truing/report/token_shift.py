"""The page of ``truing audit token-shift``."""

from __future__ import annotations

from truing.audit.token_shift import Audited
from truing.report.audit_page import AuditPage
from truing.report.figures.figure import Figure, Table
from truing.report.figures.ranges import ranges_figure
from truing.report.wording import measured, number, percent


def token_shift_page(found: Audited) -> str:
    """The HTML."""
    shift = found.shift
    return AuditPage(
        "token shift",
        f"{found.aligned} beside {found.base}",
        (
            ("Aligned", found.aligned),
            ("Base", found.base),
            ("Questions", f"{found.questions:,}"),
            ("Tokens", f"{shift.tokens:,}"),
        ),
        found.sentences(),
        _figures(found),
        (("Tokens that are shifted most often", _tokens(found)),) if found.tokens else (),
        (
            "Means are over tokens, so that a long answer counts for more; intervals are over answers.",
            "Tokens are those of greedy answers; answers that are drawn look different.",
            "Where the two models are asked in different templates, the first tokens tell about templates.",
            "A token that the base ranks first may still be much less likely in it: see the distance.",
        ),
    ).html()


def _figures(found: Audited) -> list[Figure]:
    shift = found.shift
    told = (
        (
            "shifted-by-position",
            "Where does the aligned model depart?",
            "Share of tokens that the base ranks fourth or lower, by position in the answer.",
            [(part.label, part.shifted) for part in shift.positions],
            "shifted",
            True,
            f"Over all positions: {measured(shift.shifted, share=True)}.",
        ),
        (
            "kl-by-position",
            "How far is it from the base?",
            "KL(aligned ‖ base) over the whole vocabulary, by position in the answer.",
            [(part.label, part.kl) for part in shift.positions],
            "KL, nats per token",
            False,
            f"Over all positions: {measured(shift.kl, 'nats per token')}.",
        ),
        (
            "base-by-position",
            "Would the base have said it?",
            "Probability in the base of the token that the aligned model wrote, by position in the answer.",
            [(part.label, part.base) for part in shift.positions],
            "probability in the base",
            True,
            f"Over all positions: {measured(shift.base, share=True)}.",
        ),
    )
    return [
        ranges_figure(name, title, about, reading, points, unit, share=share)
        for name, title, about, points, unit, share, reading in told
    ]


def _tokens(found: Audited) -> Table:
    return Table(
        ("token", "written", "shifted", "share of all tokens", "lift among shifted"),
        tuple(
            (repr(text), f"{row.count:,}", f"{row.shifted:,}", percent(row.base_rate, 2), number(row.lift))
            for text, row in found.tokens
        ),
        "Lift: its share among shifted tokens, divided by its share among all.",
    )
