"""Data: from files to records, and from records to token trees. Checks are in :mod:`truing.data.check`."""

from truing.data.encoded import Encoded
from truing.data.mismatch import mismatched
from truing.data.records import Records
from truing.data.sources import load
from truing.data.text import TextEncoder
from truing.data.token_report import TokenReport
from truing.data.views import view

__all__ = ["Encoded", "Records", "TextEncoder", "TokenReport", "load", "mismatched", "view"]
