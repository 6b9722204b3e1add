"""What this report cannot tell, said before somebody else has to."""

from __future__ import annotations

from truing.data.asking import PLAIN
from truing.report.judge import judge_of
from truing.report.reading import Run
from truing.report.wording import listed, percent, plural


def limits(run: Run, missing_figures: list[str]) -> list[str]:
    """Sentences: what was not measured, and how far the rest can be trusted."""
    found = [*of_files(run, missing_figures), *_of_judgement(run), *of_data(run)]
    seed = run.record.count("seeds", "training")
    found.append(
        f"One run with one seed{f' ({seed})' if seed is not None else ''}. The intervals cover the choice of "
        "prompts and pairs, not what another seed would have given."
    )
    count = len(run.record.parts("findings"))
    if count > 1:
        found.append(
            f"{plural(count, 'measure')} were looked at, each with its own 95 % interval. About one in twenty such "
            "intervals misses the truth by chance alone."
        )
    found.append(
        "Other abilities of the model (knowledge, reasoning, other languages, safety under attack) were not measured."
    )
    return found


def of_files(run: Run, missing_figures: list[str]) -> list[str]:
    """What could not be read, or was not recorded."""
    found = list(run.unreadable)
    if missing_figures:
        found.append(f"Not recorded during training, and so not drawn: {listed(missing_figures)}.")
    return found


def _of_judgement(run: Run) -> list[str]:
    found = []
    win = run.record.estimate("evaluation", "samples", "win_rate", "rate")
    judge = judge_of(run)
    if win is None:
        found.append("Whether the answers got better was not measured: no judge compared them.")
    elif judge is not None:
        found.append(
            f"No person read the answers. The win rate is the opinion of {judge.name}, over {plural(win.n, 'prompt')} "
            "from the same source as the training data."
        )
    asked = run.record.text("evaluation", "asked", "after")
    if asked is not None and asked != PLAIN:
        found.append(
            f"The trained model was asked {asked}, as in training; the starting model {PLAIN}. What the trained model "
            "answers without that was not measured."
        )
    limit = run.record.count("recipe", "evaluation", "max_new_tokens")
    finished = run.record.number("evaluation", "samples", "finished_after")
    if limit is not None and finished is not None and finished < 0.9:
        found.append(
            f"Sampled answers were cut off at {limit:,} tokens, and {percent(1 - finished, 0)} of the answers after "
            "training were: judge and lengths saw beginnings only."
        )
    if run.record.part("evaluation", "samples", "kl"):
        found.append("The distance (KL) is estimated from one sampled answer a prompt.")
    return found


def of_data(run: Run) -> list[str]:
    """What is not known about the data."""
    found = []
    held_out = run.record.count("plan", "data", "held_out_rows")
    if held_out == 0:
        found.append("No records were held out, so that learning cannot be told from memorising.")
    if not run.data:
        found.append("The data were not checked for duplicates, leakage or contradictions.")
    return found
