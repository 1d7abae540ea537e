"""The report of a run, report.html, and the card of its model, MODEL_CARD.md."""

from __future__ import annotations

from deepcluster_pl.reporting.html_report.page import ReportContent, save_report

__all__ = ["ReportContent", "save_report"]
