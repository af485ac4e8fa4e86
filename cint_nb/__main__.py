"""`python -m cint_nb`: the command line, where the folder of `cint-nb` is not on the path."""

from __future__ import annotations

import sys

from cint_nb.cli import main

if __name__ == "__main__":
    sys.exit(main())
