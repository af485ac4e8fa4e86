"""A stock mock server, Prism, that answers by the vendor's document: nothing in it was written here.

`nox -s prism` installs it and names it in CINT_NB_PRISM; without both variables nothing is collected here.
"""

from __future__ import annotations

import os

from tests.support.vendor import VENDOR_FILE

PRISM = os.environ.get("CINT_NB_PRISM", "")

collect_ignore_glob = [] if PRISM and VENDOR_FILE else ["test_*.py"]
