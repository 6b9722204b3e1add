"""Evidence: for every method, experiments whose outcome its theory predicts, and which can fail.

``verify("dpo")`` runs the claims about one method, ``verify("all")`` every claim.
"""

from truing.evidence import claims
from truing.evidence.claim import CLAIMS, Claim, Experiment, Factory, claim, claims_for
from truing.evidence.measurement import Measurement, above, below, equals, mean_interval
from truing.evidence.verification import Result, verify

__all__ = [
    "CLAIMS",
    "Claim",
    "Experiment",
    "Factory",
    "Measurement",
    "Result",
    "above",
    "below",
    "claim",
    "claims",
    "claims_for",
    "equals",
    "mean_interval",
    "verify",
]
