"""The page of a run that trained a reward model."""

from __future__ import annotations

from truing.report.figures.learning import groups
from truing.report.limits import of_data, of_files
from truing.report.page import header, provenance, rendered, written
from truing.report.reading import Run
from truing.report.rewards.curves import REWARD_CURVES
from truing.report.rewards.judged import judged
from truing.report.summary import Summary
from truing.report.wording import plural


def reward_page(run: Run, summary: Summary) -> str:
    """The HTML of the run's report."""
    curves, missing = groups(run, REWARD_CURVES)
    gaps = [gap for row in run.held_out if (gap := row.number("log_odds")) is not None]
    section = judged(run.record.part("evaluation", "reward"), gaps, run.mistakes)
    shown = {figure.name for figure in section.figures} | {f.name for group in curves for f in group.figures}
    content = {
        **header(run, summary),
        **provenance(run, shown),
        **written(),
        "win": None,
        "groups": curves,
        "judged": section,
        "limits": _limits(run, missing),
    }
    return rendered("reward_run.html.j2", ["style.css"], content)


def _limits(run: Run, missing: list[str]) -> list[str]:
    seed = run.record.count("seeds", "training")
    count = len(run.record.parts("findings"))
    return [
        *of_files(run, missing),
        *of_data(run),
        "Held-out pairs come from the same source as the training data. On answers of another kind, above all on those "
        "of a policy that is trained against this reward, it may be much worse: `truing reward eval` measures that.",
        f"One run with one seed{f' ({seed})' if seed is not None else ''}. The intervals cover the choice of pairs, "
        "not what another seed would have given.",
        *(
            [
                f"{plural(count, 'measure')} were looked at, each with its own 95 % interval. About one in twenty such "
                "intervals misses the truth by chance alone."
            ]
            if count > 1
            else []
        ),
        "Whether people would still agree with their own labels was not measured.",
    ]
