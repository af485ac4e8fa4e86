"""The list of known differences from the vendor's document, read from the file beside."""

from __future__ import annotations

import tomllib
from pathlib import Path

from judge import Difference

LISTED: list[dict[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))["deviation"]
KNOWN = {Difference(row["operation"], row["place"], row["rule"]) for row in LISTED}
