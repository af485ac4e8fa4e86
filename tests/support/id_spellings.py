"""One id that is somebody's, in every spelling in which a text, a header or a name of a file may hold it."""

from __future__ import annotations

import base64
import re

ID = "0f1ce179-a917-4bd1-9a4f-1234567890ab"
DIGITS = ID.replace("-", "")
PAIRS = re.findall("..", DIGITS)
BASE64 = (
    base64.b64encode(bytes.fromhex(DIGITS)).decode(),
    base64.urlsafe_b64encode(bytes.fromhex(DIGITS)).decode().rstrip("="),
    base64.b64encode(ID.encode()).decode(),
)
FORMS = {
    "as it is": ID,
    "in capitals": ID.upper(),
    "without dashes": ID.replace("-", ""),
    "in capitals without dashes": ID.replace("-", "").upper(),
    "with underscores": ID.replace("-", "_"),
    "with dashes of a text editor": ID.replace("-", "\u2011"),
    "percent-encoded": ID.replace("-", "%2D"),
    "percent-encoded twice": ID.replace("-", "%252D"),
    "as a URN": f"urn:uuid:{ID}",
    "spaced": ID.replace("-", " "),
    "spaced and dashed": ID.upper().replace("-", " - "),
    "in pairs": " ".join(PAIRS),
    "in pairs with colons": ":".join(PAIRS),
    "first half": ID[:18],
    "first half in capitals": f"Respondents.{ID[:18].upper()}",
    "second half": ID[19:],
    "in two halves": f"{ID[:18]} and {ID[19:]}",
    "half without dashes": DIGITS[:16],
    "in two halves without dashes": f"{DIGITS[:16].upper()}/{DIGITS[16:].upper()}",
    "base64 of its bytes": BASE64[0],
    "base64 of its bytes, for URLs": BASE64[1],
    "base64 of its text": BASE64[2],
    "in braces": f"{{{ID.upper()}}}",
    "a field name": f"Respondents.{ID.upper()}",
    "a list's field name": f"RespondentIds[{ID.upper().replace('-', '')}].Value",
    "glued to a word": f"RespondentId{ID.replace('-', '').upper()}",
    "in a path": f"/respondents/{ID}/visits",
    "at the cut": "x" * 50 + ID,
    "at the cut of many": " ".join([ID] * 33) + f" {ID}",
}


def assert_masked(text: str) -> None:
    hidden = re.sub(r"%(?:25)*2d|[^0-9a-z]", "", text.lower())
    assert not any(DIGITS[place : place + 8] in hidden for place in range(len(DIGITS) - 8)), text
    for encoded in BASE64:
        assert not any(encoded[place : place + 8] in text for place in range(len(encoded) - 8)), text
