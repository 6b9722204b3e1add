"""Fixtures of the data tests: files from rows, and a cache folder of their own."""

from __future__ import annotations

import gzip
import json

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Nothing is written to the user's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TRUING_CACHE", str(folder))
    return folder


@pytest.fixture
def write(tmp_path):
    """Write rows to a file by its suffix, and return its path."""

    def writer(rows, name="data.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows) if "jsonl" in name else json.dumps(rows)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return writer
