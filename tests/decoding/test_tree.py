"""The store of searches."""

from __future__ import annotations

import math

from truing.decoding.tree import SearchTree


def grown() -> SearchTree[str]:
    """root -> a -> c, root -> b."""
    tree = SearchTree("root")
    tree.add(0, "a", cost=2.0)
    tree.add(0, "b", cost=3.0)
    tree.add(1, "c", cost=4.0)
    return tree


def test_a_value_is_counted_in_its_node_and_all_above_it() -> None:
    tree = grown()
    tree.record(3, 1.0)
    tree.record(2, 4.0)
    tree.record(1, 2.0)
    assert [(node.visits, node.total, node.best) for node in tree] == [
        (3, 7.0, 4.0),
        (2, 3.0, 2.0),
        (1, 4.0, 4.0),
        (1, 1.0, 1.0),
    ]
    assert (tree[1].mean, tree[1].value) == (1.5, 2.0)
    assert math.isnan(tree[0].value)


def test_paths_depths_and_costs() -> None:
    tree = grown()
    assert tree.path(3) == [0, 1, 3]
    assert [node.depth for node in tree] == [0, 1, 1, 2]
    assert tree.cost == 9.0


def test_sums_and_maxima_travel_upwards() -> None:
    """Sum: c 4, b 3, a 2 + 4, root 1 + 6 + 3; highest: root max(1, 4, 3)."""
    tree = grown()
    own = [1.0, 2.0, 3.0, 4.0]
    assert tree.fold(own, lambda value, below: value + sum(below)) == [10.0, 6.0, 3.0, 4.0]
    assert tree.fold(own, lambda value, below: max([value, *below])) == [4.0, 4.0, 3.0, 4.0]
