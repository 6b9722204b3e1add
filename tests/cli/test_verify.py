"""``truing verify`` on a terminal."""

from __future__ import annotations

from pathlib import Path

from tests.jobs import truing


def test_brackets_in_a_claim_are_printed(tmp_path: Path) -> None:
    done = truing(["verify", "rpo"], tmp_path)
    assert done.code == 0, done.err
    assert "E[feature]" in done.out
