"""Statistics of a reference policy on disk."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from truing.errors import DataError
from truing.rewards.algebra import Origin, ReferenceStats
from truing.rewards.algebra.reference_files import load, save

ORIGIN = Origin("weights", "scorer", {"count": 3, "temperature": 0.7})


def stats() -> ReferenceStats:
    scores = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    return ReferenceStats.of(scores, ("a", "b"), ["first", "second"], ORIGIN)


def test_written_and_read(tmp_path: Path) -> None:
    save(stats(), tmp_path / "deep" / "stats.safetensors")
    found = load(tmp_path / "deep" / "stats.safetensors", ORIGIN)
    assert torch.equal(found.samples, stats().samples)
    assert (found.names, found.keys, found.origin) == (stats().names, stats().keys, stats().origin)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["stats.safetensors"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": "other weights"}, "another policy: 'weights', not 'other weights'"),
        ({"scorer": "other"}, "another scorer"),
        ({"sampling": {"count": 3, "temperature": 1.0}}, "another sampling"),
        ({"prompts": "other prompts"}, "another prompts"),
    ],
)
def test_made_from_something_else(tmp_path: Path, change, message) -> None:
    save(stats(), tmp_path / "stats.safetensors")
    with pytest.raises(DataError, match=message):
        load(tmp_path / "stats.safetensors", replace(ORIGIN, **change))


def test_no_statistics(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no statistics"):
        load(tmp_path / "absent")
    (tmp_path / "text").write_text("text")
    with pytest.raises(DataError, match="holds no statistics"):
        load(tmp_path / "text")


def test_key_depends_on_all_of_the_origin() -> None:
    keys = {
        replace(ORIGIN, **change).key
        for change in ({}, {"policy": "x"}, {"scorer": "x"}, {"sampling": {}}, {"prompts": "x"})
    }
    assert len(keys) == 5
    assert stats().origin.key == stats().origin.key != ORIGIN.key
