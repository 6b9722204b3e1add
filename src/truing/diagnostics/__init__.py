"""Is my run broken? Alarms that read a run's history and answer in words."""

from truing.diagnostics.alarms import Alarm, Facts, detect
from truing.diagnostics.history import History

__all__ = ["Alarm", "Facts", "History", "detect"]
