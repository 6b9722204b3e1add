"""The report of a run: one HTML file that can be read offline, on a phone and on paper."""

from truing.report.write import RunReport, report_on, write_run_report

__all__ = ["RunReport", "report_on", "write_run_report"]
