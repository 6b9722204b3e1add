"""``truing audit self-preference`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.jobs import truing


def test_a_judge_of_real_pairs_beside_people(shared_data: Path, tmp_path: Path) -> None:
    """The packaged model's verdicts on PandaLM, as if opt-7b were of its family, beside those of three people."""
    verdicts = tmp_path / "verdicts.jsonl"
    file = shared_data / "pandalm" / "testset-v1.json"
    judged = ["judge", file, "--judge", "truing/tiny", "--limit", "12", "--merge", "soft", "-o", verdicts]
    assert truing(judged, tmp_path / "p").code == 0
    ended = truing(["audit", "self-preference", verdicts, "--own", "opt-7b", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["judge"], found["reference"]) == ("truing/tiny", "majority of three annotators")
    assert found["found"]["pairs"] + found["left_out"] + found["unmatched"] == 12
    ended = truing(["audit", "self-preference", verdicts, "--own", "gpt4"], tmp_path / "p")
    assert ended.code == 2
    assert "nobody called 'gpt4' has written an answer" in ended.err.replace("\n", " ")
