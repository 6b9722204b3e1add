"""A bad arena.yaml is answered on one screen, with exit status 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.arenas.setups import write_arena
from tests.jobs import truing


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objectives": []}, ["arena.yaml:", "objectives", "at least 1 item"]),
        ({"objectives": ["dpo", "dpo"]}, ["arena.yaml:2", "two objectives have the label 'dpo'"]),
        ({"base__objective": "dpo"}, ["arena.yaml:", "the base of an arena has no 'objective'"]),
        ({"base__training__learning_rat": 1}, ["base.training.learning_rat", "did you mean 'learning_rate'"]),
        ({"sedes": [1]}, ["unknown key 'sedes'"]),
    ],
)
def test_a_bad_file_is_one_screen(changes: dict[str, Any], said: list[str], tmp_path: Path) -> None:
    message = truing(["arena", write_arena(tmp_path, **changes), "--dry-run"], tmp_path / "p").mistake()
    for words in said:
        assert words in message
