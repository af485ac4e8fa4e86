"""The list of known differences from the vendor's document, in the form in which a validator reports them."""

from __future__ import annotations

from tests.contract.validator import Difference
from tests.support.vendor import DEVIATIONS

LISTED = DEVIATIONS["deviation"]
KNOWN = {Difference(row["operation"], row["place"], row["rule"]) for row in LISTED}
