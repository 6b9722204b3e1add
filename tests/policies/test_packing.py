"""Layout of trees in a flat sequence, and the division into micro-batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError
from truing.policies.packing import Tree, pack, partition

token = st.integers(0, 96)
trees = st.lists(
    st.builds(
        Tree,
        st.lists(token, min_size=1, max_size=8),
        st.lists(st.lists(token, min_size=1, max_size=6), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=5,
)


def test_a_worked_example() -> None:
    packed = pack([Tree([10, 11, 12], [[20, 21], [30]]), Tree([40], [[50, 51, 52]])])
    # Trunk 10 11 12, branch 20 (21 is never an input), nothing of branch 30, then 40 and 50 51.
    assert packed.input_ids.tolist() == [10, 11, 12, 20, 40, 50, 51]
    assert packed.position_ids.tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert packed.tree.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert packed.branch.tolist() == [0, 0, 0, 1, 0, 1, 1]
    # 12 predicts 20 and 30; 20 predicts 21; 40 predicts 50, 50 predicts 51, 51 predicts 52.
    assert packed.targets.tolist() == [20, 21, 30, 50, 51, 52]
    assert packed.predictor.tolist() == [2, 3, 2, 4, 5, 6]
    assert packed.sequence.tolist() == [0, 0, 1, 2, 2, 2]
    assert packed.count == 3
    assert packed.longest == 4


@given(trees)
def test_every_scored_token_is_predicted_by_its_own_path(items: list[Tree]) -> None:
    packed = pack(items)
    assert len(packed.input_ids) == sum(tree.size for tree in items)
    flat = [(tree, branch) for tree in items for branch in tree.branches]
    for number, (tree, branch) in enumerate(flat):
        mine = [i for i, s in enumerate(packed.sequence.tolist()) if s == number]
        assert [int(packed.targets[i]) for i in mine] == list(branch)
        path = [*tree.prompt, *branch]
        for place, i in enumerate(mine):
            at = int(packed.predictor[i])
            assert int(packed.input_ids[at]) == path[len(tree.prompt) + place - 1]
            assert int(packed.position_ids[at]) == len(tree.prompt) + place - 1


def test_empty_prompts_and_completions_are_refused() -> None:
    with pytest.raises(DataError, match="prompt has no tokens"):
        Tree([], [[1]])
    with pytest.raises(DataError, match="completion has no tokens"):
        Tree([1], [[1], []])


sizes = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@given(sizes, st.integers(1, 1000), st.integers(1, 4))
def test_partition_keeps_every_item_within_the_budget(items: list[int], budget: int, processes: int) -> None:
    groups = partition(items, budget, processes)
    assert sorted(i for group in groups for i in group) == list(range(len(items)))
    assert len(groups) % processes == 0
    assert all(sum(items[i] for i in group) <= budget or len(group) == 1 for group in groups)
    if len(items) >= processes:
        assert all(groups) or len(items) < len(groups)


@given(sizes, st.integers(300, 1000))
def test_partition_wastes_little(items: list[int], budget: int) -> None:
    # Longest-first needs at most 4/3 of the best number of groups, plus one for rounding.
    assert len(partition(items, budget)) <= -(-4 * sum(items) // (3 * budget)) + max(1, len(items) // 6) + 1


def test_partition_on_a_worked_example() -> None:
    # Longest first: 9 and 9 open two groups, then 5 and 5 fill them up to 14.
    assert partition([5, 9, 5, 9], 14) == [[0, 1], [2, 3]]
    assert partition([5, 9, 5, 9], 13) == [[1], [3], [0, 2]]
