"""The page of an audited judge: shifts with their intervals, and what mitigations did."""

from __future__ import annotations

from collections.abc import Sequence

from truing.audit.judges.bias_run import JudgeAudit
from truing.report.audit_page import AuditPage
from truing.report.figures.axis import Axis, axis
from truing.report.figures.drawing import Dot, Frame, Mark, Path, height_of
from truing.report.figures.figure import Figure, Table
from truing.report.wording import interval, measured, percent
from truing.statistics import Estimate

_LIMITS = (
    "Cues are worded by us, one wording each: another wording may move the judge more or less.",
    "Shifts are averages over pairs; a judge may be moved on some kinds of pairs alone.",
    "What holds for these pairs need not hold for others.",
)


def judge_page(found: JudgeAudit, data: str) -> str:
    """The HTML.

    Args:
        found: the audit.
        data: what was judged, as the user named it.
    """
    rows = [
        (
            f"{own.bias}, {own.toward}" if own.toward != "wrong" else own.bias,
            own.net if own.control.n else own.shift,
        )
        for own in found.biases.effects
    ]
    figures = [
        shift_figure(
            "shifts",
            "What moves the judge?",
            "Change of the probability that the target is chosen, less that of a neutral text of as many words. Right "
            "of 0 the judge follows the cue. For position the target is the answer that stands first.",
            rows,
            [label for (label, _), own in zip(rows, found.biases.effects, strict=True) if own.found],
        )
    ]
    if found.mitigated:
        figures.append(
            shift_figure(
                "mitigations",
                "What helps?",
                "Change of the directed shift under each mitigation. Left of 0 the bias is weaker.",
                [(f"{own.mitigation}: {own.bias}", own.change) for own in found.mitigated],
                [f"{own.mitigation}: {own.bias}" for own in found.mitigated if own.found],
            )
        )
    head = (
        "cue",
        "accuracy without",
        "accuracy with",
        "verdicts that stay",
        "shift",
        "neutral text",
        "net shift",
        "95 % interval",
        "p after Holm",
    )
    table = Table(
        head,
        tuple(
            (
                f"{own.bias}, toward {own.toward}",
                percent(own.acc_base.value),
                percent(own.acc_injected.value),
                percent(own.robust.value),
                percent(own.shift.value),
                percent(own.control.value) if own.control.n else "–",
                percent(net.value),
                interval(net, share=True),
                f"{own.p_holm:.2g}",
            )
            for own in found.biases.effects
            for net in [own.net if own.control.n else own.shift]
        ),
        "Net shift: shift less that of the neutral text; its interval is over pairs. Above 0 the judge follows the "
        "cue, or what stands first.",
    )
    tables = [("Effects", table)]
    if found.mitigated:
        tables.append(("Mitigations", _mitigations(found)))
    facts = (("Judge", found.judge), ("Data", data), ("Pairs", f"{found.pairs:,}"))
    return AuditPage("judge bias", found.judge, facts, found.highlights(), figures, tables, _LIMITS).html()


def _mitigations(found: JudgeAudit) -> Table:
    return Table(
        (
            "mitigation",
            "shift under it",
            "change of the shift",
            "95 % interval",
            "p after Holm",
            "accuracy with the cue",
        ),
        tuple(
            (
                f"{own.mitigation}: {own.bias}",
                percent(own.shift.value),
                percent(own.change.value),
                interval(own.change, share=True),
                f"{own.p_holm:.2g}",
                percent(own.accuracy.value),
            )
            for own in found.mitigated
        ),
        "A change below 0 says that the cue moves the judge less. Asked again: the same question twice, which helps by "
        "chance alone. The last column is the change of the accuracy.",
    )


def shift_figure(
    name: str, title: str, about: str, rows: Sequence[tuple[str, Estimate]], told: Sequence[str]
) -> Figure:
    """Estimates below each other, with their intervals, against 0.

    Args:
        name, title, about: of the figure.
        rows: labels and estimates; unknown ones are left out of the picture.
        told: labels of those that are told apart from 0 after Holm.
    """
    known = [row for row in rows if row[1].n]
    ticks = tuple((len(known) - place - 0.5, label) for place, (label, _) in enumerate(known))
    ends = [end for _, own in known for end in (own.low, own.high, own.value)]
    frame = Frame(
        axis([*ends, 0.0], most=3, share=True),
        Axis(0.0, float(max(len(known), 1)), ticks or ((0.5, ""),)),
        height_of(len(known)),
    )
    lines, dots = [], []
    for (height, label), (_, own) in zip(ticks, known, strict=True):
        lines.append(Path(frame.points([(own.low, height), (own.high, height)]), "plain whisker"))
        dots.append(Dot(*frame.at(own.value, height), "plain", f"{label}: {measured(own, share=True)}"))
    return Figure(
        name,
        title,
        about,
        f"Told apart from 0 after Holm over all of them: {'; '.join(told) or 'none'}.",
        frame.drawing(
            "change of the probability",
            "",
            lines=tuple(lines),
            dots=tuple(dots),
            posts=(Mark(frame.at(0.0, 0.0)[0], "none"),),
        ),
        (),
        Table(
            ("", "change", "95 % interval", "pairs"),
            tuple((label, percent(own.value), interval(own, share=True), f"{own.n:,}") for label, own in known),
        ),
    )
