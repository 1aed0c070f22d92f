"""Inspection of networks."""

from skconvnet.inspection.summary import format_summary

__all__ = ["format_summary"]
