"""Reading parts of a prompt in no order: attention that is the same for every order of them (PINE, 2407.01100)."""

from truing.policies.pine.invariant import PositionInvariant
from truing.policies.pine.segments import Segments

__all__ = ["PositionInvariant", "Segments"]
