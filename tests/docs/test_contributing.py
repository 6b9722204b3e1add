"""The example of CONTRIBUTING.md works as it stands: objective, claim and test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .pages import ROOT, Snippet, snippets

GUIDE = ROOT / "docs" / "guides" / "add-a-method.md"
RUNNER = """
import sys
sys.path.insert(0, sys.argv[1])
import gpo_exponential, gpo, test_gpo_exponential
from truing.catalogue import explanation
from truing.evidence import verify
from truing.objectives.recipe import build
test_gpo_exponential.test_one_pair_by_hand()
(result,) = verify("gpo-exponential")
assert result.passed, result.measured_text
print(build({"name": "gpo-exponential", "beta": 0.5}).text())
print(explanation("gpo-exponential")["paper"]["arxiv"])
# The claim can fail: on the logistic loss, and with another beta.
from truing.objectives import dpo
(wrong,) = verify("gpo-exponential", factory=dpo)
assert not wrong.passed
"""


def files(page: Path) -> dict[str, Snippet]:
    return {Path(found.title).name: found for found in snippets("python", [page]) if found.title}


def test_guide_and_contributing_show_the_same_files() -> None:
    ours, theirs = files(ROOT / "CONTRIBUTING.md"), files(GUIDE)
    assert set(ours) == {"gpo_exponential.py", "gpo.py", "test_gpo_exponential.py"}
    assert {name: found.text for name, found in ours.items()} == {
        name: found.text for name, found in theirs.items()
    }


def test_the_three_files_work(tmp_path: Path) -> None:
    """In a process of its own: registering an objective changes the registry for good."""
    for name, found in files(ROOT / "CONTRIBUTING.md").items():
        (tmp_path / name).write_text(found.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["e^(−0.5·(r_w − r_l))", "2402.05749"]


def test_the_folders_that_it_names_exist() -> None:
    for found in snippets("python", [GUIDE]):
        if found.title:
            assert (ROOT / found.title).parent.is_dir()
