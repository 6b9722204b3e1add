"""The questions of one unlearning experiment: what to forget, what to keep, and controls."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from truing.errors import DataError
from truing.unlearning.authors import MOST_AUTHORS, make_authors
from truing.unlearning.control_questions import real_author_questions, world_fact_questions
from truing.unlearning.items import Item, read_items
from truing.unlearning.questions import questions_about
from truing.writing import write_json, write_text

SETS = ("forget", "retain", "holdout", "real_authors", "world_facts")


@dataclass(frozen=True)
class Suite:
    """Questions by what is to become of them.

    Attributes:
        forget: to be forgotten.
        retain: to be kept; answers of the same kind as those in ``forget``.
        holdout: of the same kind too, and never trained on; membership inference needs them.
        real_authors, world_facts: control questions; the wrong answers are alternatives to choose from.
    """

    forget: list[Item]
    retain: list[Item] = field(default_factory=list)
    holdout: list[Item] = field(default_factory=list)
    real_authors: list[Item] = field(default_factory=list)
    world_facts: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.forget:
            raise DataError("there is nothing to forget", where="the forget set", allowed="at least one question")

    @classmethod
    def load(cls, folder: str | Path) -> Suite:
        """Read the files that :func:`write_suite` wrote; all but ``forget.jsonl`` may be missing.

        Raises:
            DataError: if there is no ``forget.jsonl``, or a file cannot be read.
        """
        place = Path(folder).expanduser()
        if not (place / "forget.jsonl").is_file():
            raise DataError(
                "this is no folder of an unlearning experiment: it has no forget.jsonl",
                where=str(place),
                fix="make one with `truing unlearn data --output FOLDER`",
            )
        files = {name: place / f"{name}.jsonl" for name in SETS}
        return cls(**{name: read_items(file) for name, file in files.items() if file.is_file()})


def make_suite(
    authors: int = 20, forget: float = 0.1, *, per_author: int = 20, holdout: int | None = None, seed: int = 0
) -> Suite:
    """Fictitious authors, split into those to forget, those to keep, and others that no model sees.

    Whole authors are forgotten, as in TOFU, the first of a random order. Real authors and facts about the world come
    from a list in the package.

    Args:
        authors: how many a model is trained on.
        forget: share of them that is to be forgotten, above 0 and below 1; at least one author is, and one is kept.
        per_author: questions about each, 1 to 20.
        holdout: authors that are held out; as many as are forgotten by default.
        seed: the same seed gives the same questions and split, on every machine.

    Raises:
        DataError: if a number is out of its range.
    """
    if authors < 2:
        raise DataError(f"{authors} authors cannot be split", where="authors", allowed="2 or more")
    if not 0 < forget < 1:
        raise DataError(f"the share to forget is {forget:g}", where="forget", allowed="above 0 and below 1")
    forgotten = min(max(1, round(authors * forget)), authors - 1)
    unseen = forgotten if holdout is None else holdout
    if unseen < 0 or authors + unseen > MOST_AUTHORS:
        raise DataError(
            f"{authors} authors and {unseen} held out", where="authors", allowed=f"{MOST_AUTHORS} or fewer in all"
        )
    asked = [questions_about(author, per_author, seed) for author in make_authors(authors + unseen, seed)]
    # Names are dealt at random, so that any block of authors is a random sample.
    return Suite(
        forget=_flat(asked[:forgotten]),
        retain=_flat(asked[forgotten:authors]),
        holdout=_flat(asked[authors:]),
        real_authors=real_author_questions(),
        world_facts=world_fact_questions(),
    )


def write_suite(
    suite: Suite, folder: str | Path, *, teach_controls: bool = False, **how: object
) -> dict[str, int]:
    """Write a suite as JSONL, one file for each set, and the two sets that models are trained on.

    ``full.jsonl`` (forget and retain) is for the model that will have to forget, ``retrain.jsonl`` (retain) for the
    one that it is compared with.

    Args:
        suite: the questions.
        folder: made if it does not exist; files of these names are replaced.
        teach_controls: add the control questions to both training sets, for models too small to know the answers.
        how: what the suite was made with, written to ``suite.json``.

    Returns:
        Number of questions in each file.
    """
    place = Path(folder).expanduser()
    controls = [*suite.real_authors, *suite.world_facts] if teach_controls else []
    files = {name: getattr(suite, name) for name in SETS}
    files["full"] = [*suite.forget, *suite.retain, *controls]
    files["retrain"] = [*suite.retain, *controls]
    written = {}
    for name, items in files.items():
        if items:
            lines = [json.dumps(item.as_dict(), ensure_ascii=False) + "\n" for item in items]
            write_text(place / f"{name}.jsonl", "".join(lines))
            written[name] = len(items)
    write_json(place / "suite.json", {"questions": written, "teach_controls": teach_controls, **how})
    return written


def _flat(parts: list[list[Item]]) -> list[Item]:
    return [item for part in parts for item in part]
