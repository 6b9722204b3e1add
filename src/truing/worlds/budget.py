"""Policies at equal distance from the reference: the tilt that spends a given KL."""

from __future__ import annotations

import math

from scipy.optimize import brentq

from truing.worlds.optima import kl, tilted
from truing.worlds.preferences import Table, as_table


def tilted_at(reference: Table, utility: Table, nats: float) -> Table:
    """The policy ∝ ref · e^(u / beta), with the beta at which KL(π ‖ ref) is ``nats``, averaged over prompts.

    Args:
        reference: probabilities, shape ``[P, K]`` or ``[K]``.
        utility: of the same shape; beta is one number for all prompts.
        nats: more than 0, and less than can be spent on this utility.
    """
    ref, table = as_table(reference), as_table(utility)
    # Of a prompt at a time, a constant changes nothing, and a common scale is taken up by beta.
    centred = table - table.amax(-1, keepdim=True)
    scaled = centred / -float(centred.amin())

    def spent(log_beta: float) -> float:
        return kl(tilted(ref, scaled, math.exp(log_beta)), ref) - nats

    return tilted(ref, scaled, math.exp(brentq(spent, math.log(1e-6), math.log(1e6), xtol=1e-13)))
