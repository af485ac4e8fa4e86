"""Texts an API, a file or a colleague may hand us, each of which would do something where it is not inert."""

from __future__ import annotations

import gzip
import zlib

OUTSIDE = "outside.invalid"
SCRIPTS = (
    "<script>window.__pwned = 'script'</script>",
    "<img src=x onerror=\"window.__pwned = 'error'\">",
    "<svg onload=\"window.__pwned = 'svg'\"></svg>",
    "</td></tr></table><img src=x onerror=\"window.__pwned = 'table'\">",
    '"><img src=x onerror="window.__pwned = \'quote\'">',
    "' autofocus onfocus='window.__pwned = 1",
    "&lt;img src=x onerror=&quot;window.__pwned = 2&quot;&gt;",
    "<a href=\"javascript:window.__pwned = 'link'\">click</a>",
    "[click](javascript:alert(1))",
    "<style>body{display:none}</style><b class=taken>bold</b>",
)
LOADS = (
    f"<img src='http://{OUTSIDE}/a.png'>",
    f"<iframe src='http://{OUTSIDE}/'></iframe>",
    f"<link rel=stylesheet href='http://{OUTSIDE}/a.css'>",
    f"<div style=\"background:url('http://{OUTSIDE}/b.png')\">x</div>",
)
FORMULAS = (
    r"$\frac{1}{2}$",
    r"\(\alpha\)",
    r"$$x^2$$",
    r"\[\beta\]",
    r"\begin{equation}z\end{equation}",
    r"costs $5 and $6",
)
ALL = SCRIPTS + LOADS + FORMULAS
ONE = " ".join(ALL)


def gzip_bomb(filler: bytes, megabytes: int = 200) -> bytes:
    """Return a small gzip stream of one byte, repeated; without an end, which nobody may reach."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(filler * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)  # the same may follow
    return gzip.compress(b"")[:10] + block * megabytes
