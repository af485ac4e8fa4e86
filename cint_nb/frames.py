"""The DataFrames of cint_nb: what the exchange returns, with fixed columns and types."""

from __future__ import annotations

from cint_nb.study.frames import (
    STATUS_COLUMNS,
    analysis_frame,
    completes_frame,
    funnel_frame,
    status_frame,
)

__all__ = [
    "STATUS_COLUMNS",
    "analysis_frame",
    "completes_frame",
    "funnel_frame",
    "status_frame",
]
