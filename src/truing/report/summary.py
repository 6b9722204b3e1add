"""The summary in plain words: what was done, did it help, what got worse, is anything alarming."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from truing.report.forgetting import forgetting
from truing.report.judge import judge_of
from truing.report.measures import Measure, measures, of_verdict
from truing.report.reading import Run
from truing.report.wording import duration, listed, measured, millions, percent, plural
from truing.statistics import Estimate

_SEVERITIES = ("problem", "warning", "note")


@dataclass(frozen=True)
class Answer:
    """One question of the summary, answered.

    Attributes:
        question: as a heading.
        headline: the answer in a sentence.
        level: good, attention, bad or plain; decides the colour.
        sentences: what stands behind it.
        items: a list, where the answer is one.
    """

    question: str
    headline: str
    level: str
    sentences: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The summary of a run.

    Attributes:
        answers: to the four questions, in order.
        win_rate: by the judge; ``None`` where not measured.
        measures: the scorecard.
    """

    answers: tuple[Answer, ...]
    win_rate: Estimate | None
    measures: tuple[Measure, ...]

    @property
    def done(self) -> Answer:
        """What was done."""
        return self.answers[0]


def summarise(run: Run) -> Summary:
    """The summary of a run, whatever it lacks."""
    found = measures(run)
    answers = (done(run), _helped(run, found), _worse(run, found), alarming(run))
    return Summary(answers, run.record.estimate("evaluation", "samples", "win_rate", "rate"), tuple(found))


def done(run: Run, verb: str = "aligned") -> Answer:
    """What was done, and with what.

    Args:
        run: the run.
        verb: what became of the model.
    """
    record = run.record
    model = record.text("plan", "model", "name") or record.text("recipe", "model", "name") or "A model"
    size = record.count("plan", "model", "parameters")
    objective = objective_name(run)
    rows, kind = record.count("plan", "data", "rows"), record.text("plan", "data", "kind") or "records"
    source = record.text("plan", "data", "source") or record.text("recipe", "data", "path")
    batch = record.count("plan", "training", "global_batch")
    took = duration(record.text("started"), record.text("ended"))
    was = "was" if run.ended else "was to be"
    headline = f"{model}{f' ({millions(size)} parameters)' if size else ''} {was} {verb} with {objective}."
    told = []
    data = " ".join(
        part
        for part in (
            f"{rows:,} {kind}" if rows is not None else "an unknown number of records",
            f"from {PurePath(source).name or source}" if source else "",
        )
        if part
    )
    steps = f"{run.steps:,} planned steps" if run.steps is not None else "an unknown number of steps"
    if run.ended and run.last_step:
        steps = plural(run.last_step, "step")
    told.append(
        f"Training data: {data}. {steps[:1].upper()}{steps[1:]}{f' of {batch:,} records' if batch else ''}."
    )
    held_out = record.count("plan", "data", "held_out_rows")
    if held_out is not None:
        told.append(
            f"{held_out:,} {kind} were held out and never trained on."
            if held_out
            else "Nothing was held out, so that little can be said about the result."
        )
    tokens = record.count("tokens_trained")
    facts = ([f"{tokens:,} tokens were processed"] if tokens else []) + ([f"the run took {took}"] if took else [])
    if facts:
        text = listed(facts)
        told.append(f"{text[:1].upper()}{text[1:]}.")
    return Answer("What was done", headline, "plain", tuple(told))


def objective_name(run: Run) -> str:
    """The objective's name, from the plan or, before there is one, from the recipe."""
    planned = run.record.text("plan", "objective", "name")
    if planned:
        return planned.upper() if planned.isascii() and len(planned) <= 4 else planned
    given = run.record.raw("recipe", "objective")
    for item in given if isinstance(given, list) else [given]:
        name = item.get("name") if isinstance(item, dict) else item
        if isinstance(name, str) and name:
            return name
    return "an unknown objective"


def _helped(run: Run, found: list[Measure]) -> Answer:
    question = "Did it help?"
    forgot = forgetting(run, found)
    if forgot is not None:
        return Answer(question, *forgot)
    win = run.record.estimate("evaluation", "samples", "win_rate", "rate")
    judge = judge_of(run)
    accuracy = run.record.estimate("evaluation", "held_out", "reward_accuracy")
    learned = (
        (
            "On held-out pairs the model moved towards the chosen answer in "
            f"{measured(accuracy, share=True)} of cases; chance is 50 %.",
        )
        if accuracy is not None
        else ()
    )
    if win is None or judge is None:
        why = "the run has not come to its end" if not run.ended else "no judge compared answers before and after"
        return Answer(question, f"Not measured: {why}.", "plain", learned)
    headline, level = _verdict(win, rewarded=judge.rewarded)
    counts = {
        name: run.record.count("evaluation", "samples", "win_rate", name) for name in ("wins", "ties", "losses")
    }
    told = (
        f"Win rate against the starting model, same prompts: {measured(win, share=True)}; 50 % is no difference."
    )
    if None not in counts.values():
        wins, ties, losses = (counts[name] or 0 for name in ("wins", "ties", "losses"))
        told += f" It won {wins:,}, tied {ties:,} and lost {losses:,}; a tie counts one half."
    told_width: tuple[str, ...] = ()
    if level == "plain" and win.high >= win.low:
        told_width = (
            f"With {plural(win.n, 'prompt')}, differences of up to about "
            f"{percent(max(win.high - 0.5, 0.5 - win.low), 0)[:-1]} points may go unseen.",
        )
    return Answer(question, headline, level, (told, judge.sentence, *told_width, *learned))


def _verdict(win: Estimate, *, rewarded: bool) -> tuple[str, str]:
    if win.low > 0.5 and rewarded:
        return "The reward was learned; whether the answers are better, it cannot tell.", "plain"
    if win.low > 0.5:
        return "Yes: the judge prefers the trained model's answers.", "good"
    if win.high < 0.5:
        return "No: the judge prefers the starting model's answers.", "bad"
    return "Not shown: the judge finds no clear difference between before and after.", "plain"


def _worse(run: Run, found: list[Measure]) -> Answer:
    question = "What got worse?"
    worse, changed = of_verdict(found, "worse"), of_verdict(found, "changed")
    also = ("Changed, for better or worse: " + " ".join(m.sentence for m in changed),) if changed else ()
    if worse:
        names = listed([measure.name for measure in worse])
        return Answer(
            question, f"{names[:1].upper()}{names[1:]}.", "attention", also, tuple(m.sentence for m in worse)
        )
    if not found:
        why = "the run has not come to its end" if not run.ended else "nothing was held out"
        return Answer(question, f"Not measured: {why}.", "plain")
    return Answer(
        question,
        f"Nothing that was measured got clearly worse ({plural(len(found), 'measure')}).",
        "good",
        ("Clearly means: the 95 % interval lies on one side of no change.", *also),
    )


def alarm_counts(run: Run) -> dict[str, int]:
    """Alarms by severity; an unknown severity counts as a warning."""
    counts = dict.fromkeys(_SEVERITIES, 0)
    for alarm in run.alarms or []:
        severity = alarm.text("severity") or ""
        counts[severity if severity in counts else "warning"] += 1
    return counts


def alarming(run: Run) -> Answer:
    """Whether an alarm was raised."""
    question = "Is anything alarming?"
    if run.record.text("status") == "failed":
        raised = (
            f"{plural(len(run.alarms), 'alarm')} before that."
            if run.alarms
            else "No alarm was raised before that."
        )
        return Answer(question, "Yes: the run failed.", "bad", (raised,))
    if run.alarms is None:
        return Answer(question, "Not measured: there are no metrics that could be watched.", "plain")
    counts = alarm_counts(run)
    if not run.alarms:
        return Answer(question, "No alarm was raised.", "good")
    told = listed([plural(counts[name], name) for name in _SEVERITIES if counts[name]])
    names = listed(sorted({(alarm.text("name") or "unnamed").replace("_", " ") for alarm in run.alarms}))
    if counts["problem"]:
        return Answer(
            question, f"Yes: {told}.", "bad", (f"Raised: {names}.", "A problem means: do not use the result.")
        )
    if counts["warning"]:
        return Answer(question, f"Yes: {told}.", "attention", (f"Raised: {names}. See Alarms for remedies.",))
    return Answer(
        question,
        f"No: {told}, no warning.",
        "good",
        (f"Raised: {names}. A note explains something that looks alarming and is not.",),
    )
