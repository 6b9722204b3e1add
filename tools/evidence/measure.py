"""Run every claim, or those of some methods, and write what was measured into the package.

    python tools/evidence/measure.py              # all of them, about ten minutes on one slow core
    python tools/evidence/measure.py ppo parl     # those of two methods; the others stay as they were

``truing explain``, the documentation and the coverage table show these numbers. Times and plots' details are
left out and measurements rounded, so that the file changes only where a claim or its outcome does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from truing.assets import folder
from truing.evidence import verify
from truing.evidence.claim import CLAIMS

KEPT = ("method", "name", "claim", "source", "predicted", "relation", "tolerance", "unit", "seed")
ROUNDED = ("measured", "interval")


def rounded(value: Any) -> Any:
    """Six significant digits; what is zero up to rounding of float64 differs between machines."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) > 1e-9 else 0.0
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def main() -> None:
    path = folder() / "evidence.json"
    methods = sys.argv[1:]
    results = [result.as_dict() for method in methods or ["all"] for result in verify(method)]
    failed = [result["name"] for result in results if not result["passed"]]
    if failed:
        raise SystemExit(f"these claims fail, and nothing was written: {', '.join(failed)}")
    rows = [
        {**{key: result[key] for key in KEPT}, **{key: rounded(result[key]) for key in ROUNDED}}
        for result in results
    ]
    if methods:
        kept = {(row["method"], row["name"]): row for row in json.loads(path.read_text(encoding="utf-8"))}
        again = {row["method"] for row in rows}
        kept = {key: row for key, row in kept.items() if key[0] not in again}
        kept |= {(row["method"], row["name"]): row for row in rows}
        order = [(claim.method, claim.name) for claim in CLAIMS]
        rows = [kept[key] for key in order if key in kept]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} claims hold; written to {path.name}")


if __name__ == "__main__":
    main()
