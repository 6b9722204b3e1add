"""Data: from files to records, checks, and token trees."""

from truing.data.records import Records
from truing.data.sources import load

__all__ = ["Records", "load"]
