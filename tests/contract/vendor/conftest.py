"""These tests need the vendor's OpenAPI document, which is not ours to carry: CINT_NB_VENDOR_OPENAPI names it.

Without it they are not collected, and the summary of the whole suite says so. With it, a missing file is a failure.
"""

from __future__ import annotations

from tests.support.vendor import VENDOR_FILE

collect_ignore_glob = [] if VENDOR_FILE else ["test_*.py"]
