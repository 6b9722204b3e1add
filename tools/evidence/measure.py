"""Run every claim, and write what was measured into the package.

Usage (about a minute):
    python tools/evidence/measure.py

``truing explain``, the documentation and the coverage table show these numbers. Times and plots' details are
left out and measurements rounded, so that the file changes only where a claim or its outcome does.
"""

from __future__ import annotations

import json
from typing import Any

from truing.assets import folder
from truing.evidence import verify

KEPT = ("method", "name", "claim", "source", "predicted", "relation", "tolerance", "unit", "seed")
ROUNDED = ("measured", "interval")


def rounded(value: Any) -> Any:
    """Six significant digits; what is zero up to rounding of float64 differs between machines."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) > 1e-9 else 0.0
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def main() -> None:
    results = [result.as_dict() for result in verify("all")]
    failed = [result["name"] for result in results if not result["passed"]]
    if failed:
        raise SystemExit(f"these claims fail, and nothing was written: {', '.join(failed)}")
    rows = [
        {**{key: result[key] for key in KEPT}, **{key: rounded(result[key]) for key in ROUNDED}}
        for result in results
    ]
    path = folder() / "evidence.json"
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} claims hold; written to {path.name}")


if __name__ == "__main__":
    main()
