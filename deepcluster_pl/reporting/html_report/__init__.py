"""What a person looks at when a run is over: report.html, and the model in short."""

from deepcluster_pl.reporting.html_report.page import Told, save_report

__all__ = ["Told", "save_report"]
