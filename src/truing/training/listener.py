"""What a run says while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from truing.data.check import DataReport
    from truing.diagnostics import Alarm


class Listener:
    """Hears what a run is doing. The command line prints it; by default nothing is said."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def plan(self, lines: list[tuple[str, str]]) -> None:
        """The resolved plan."""

    def data(self, report: DataReport) -> None:
        """The data was checked."""

    def progress(self, name: str, done: int, total: int) -> None:
        """Part of a stage is done."""

    def alarm(self, alarm: Alarm) -> None:
        """An alarm was raised."""

    @property
    def quiet(self) -> bool:
        """Whether the training loop shall print nothing."""
        return True
