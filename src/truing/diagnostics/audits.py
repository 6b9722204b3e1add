"""All audits; importing this module registers them."""

from truing.diagnostics.audit import AUDITS, Audit
from truing.diagnostics.ches import ches
from truing.diagnostics.ranking import ranking

__all__ = ["AUDITS", "Audit", "ches", "ranking"]
