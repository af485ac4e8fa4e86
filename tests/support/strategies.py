"""What several rooms let hypothesis invent."""

from __future__ import annotations

from hypothesis import strategies as st

CHARACTERS = st.characters(exclude_categories=["Cs"])
"""Every character but half of a surrogate pair. Asked for by their codec, hypothesis would first try a million."""


def any_text(max_size: int) -> st.SearchStrategy[str]:
    """Return texts of any characters, of so many at the most."""
    return st.text(CHARACTERS, max_size=max_size)
