"""These tests need the vendor's OpenAPI document, which is not ours to carry: CINT_NB_VENDOR_OPENAPI names it.

Without it they are not collected, and the summary says so. With it, a missing file is a failure.
"""

from __future__ import annotations

import pytest
from descriptions import VARIABLE, VENDOR_FILE

collect_ignore_glob = [] if VENDOR_FILE else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which document was used, or that these tests were left out."""
    said = f"checked against {VENDOR_FILE}" if VENDOR_FILE else f"not collected: set {VARIABLE} to the document"
    terminalreporter.write_line(f"tests against the vendor's OpenAPI document: {said}")
