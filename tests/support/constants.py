"""The one project, target group, user and moment that most tests speak of."""

from __future__ import annotations

from datetime import UTC, datetime

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
PROJECT = "01JX2KPG5VEBF8498Z8YTTE8TB"
GROUP = "01JX2X0N5RTR012AYDTA83QWTW"
MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"
