"""The DataFrames of cint_nb: what the exchange returns, with fixed columns and types.

The status of a wave comes from `wave.status()`, that of a whole project from `client.project_status(project)`.
"""

from __future__ import annotations

from cint_nb.study.frames import (
    analysis_frame,
    completes_frame,
    findings_frame,
    funnel_frame,
    reconciliation_codes,
    status_frame,
)

__all__ = [
    "analysis_frame",
    "completes_frame",
    "findings_frame",
    "funnel_frame",
    "reconciliation_codes",
    "status_frame",
]
