"""``truing audit order`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.jobs import model_folder, truing, write_rows


def test_orders_of_options(tmp_path: Path) -> None:
    model = model_folder(tmp_path / "model")
    rows = [
        {"question": f"{number} fox", "options": ["quick", "lazy dog", "bread"], "answer": number % 3}
        for number in range(3)
    ]
    data = write_rows(tmp_path / "questions.jsonl", rows)
    audit = ["audit", "order", model, "--data", data, "--orders", "3"]
    assert json.loads(truing([*audit, "--dry-run", "--json"], tmp_path / "p").out)["passes"] == 18
    ended = truing([*audit, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["questions"] == 3
    assert found["changed_without"]["value"] == 0
    assert found["spread_without"]["value"] < 1e-4 < found["spread"]["value"]
    assert len(found["places"]) == 3
    told = truing(audit, tmp_path / "p").out
    assert "share whose choice is not the same in all orders, 0 is best" in told
    assert "0.333 each if places do not matter" in told
    assert "Share of right choices" in told
    write_rows(data, [{"question": "q"}])
    assert "no question with options" in truing(audit, tmp_path / "p").mistake()
    assert "--data" in truing(["audit", "order", model, "--data", tmp_path / "none"], tmp_path / "p").mistake()
