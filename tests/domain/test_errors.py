"""Errors say what happened, what is known, what is safe and what is next."""

from __future__ import annotations

import pickle
import re

import pytest

import cint_nb.errors
from cint_nb.domain.errors import ApiError, CintError, InputError, error_class_for_status


def everyone(kind: type[CintError] = CintError) -> list[type[CintError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in everyone(child))]


def test_the_message_has_a_line_each_for_what_is_known_safe_and_next() -> None:
    error = CintError("It broke.", evidence={"status": 500, "gone": None}, safe="all is there.", next_step="try again.")
    assert str(error).splitlines() == ["It broke.", "Known: status=500", "Safe: all is there.", "Next: try again."]


def test_bad_input_always_says_that_nothing_was_sent() -> None:
    assert "nothing was sent" in str(InputError("No."))
    assert issubclass(InputError, ValueError)


def test_every_error_survives_a_pickle_with_what_it_knows() -> None:
    for kind in everyone():
        error = kind("It broke.", evidence={"status": 409}, safe="all is there.", next_step="wait.")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert type(copy) is kind
        assert str(copy) == str(error)
        assert copy.evidence == error.evidence


def test_every_error_stands_in_the_drawn_tree() -> None:
    drawing = cint_nb.errors.__doc__ or ""
    assert [kind for kind in everyone() if kind.__name__ not in drawing and kind is not ApiError] == []


def drawn(text: str) -> set[tuple[str, str]]:
    """Return the pairs of parent and child in a drawn tree; names joined by commas are siblings."""
    pairs: set[tuple[str, str]] = set()
    above: list[str] = []
    for line in text.split("```")[1].strip().splitlines():
        indent, names = re.fullmatch(r"([│├└─ ]*)([A-Z].*)", line).groups()  # type: ignore[union-attr]
        depth = len(indent) // 4
        siblings = re.match(r"\w+(?: \dxx| \d+)?(?:, \w+(?: \dxx| \d+)?)*", names)[0].split(", ")  # type: ignore[index]
        below = [name.split()[0] for name in siblings]
        pairs |= {(above[depth - 1], name) for name in below if depth}
        above = [*above[:depth], below[-1]]
    return pairs


def test_the_drawn_tree_has_the_shape_of_the_classes() -> None:
    real = {(parent.__name__, kind.__name__) for kind in everyone() for parent in kind.__bases__}
    ours = {(parent, kind) for parent, kind in real if parent not in {"Exception", "ValueError", "RichDisplay"}}
    assert drawn(cint_nb.errors.__doc__ or "") == ours
    assert ("OutcomeUnknown", "DeadlineExceeded") in ours
    assert ("Conflict", "JobAlreadyRunning") in ours


def test_codes_are_stable_names_of_their_own() -> None:
    codes = [kind.code for kind in everyone()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequest"),
        (401, "NotAuthenticated"),
        (403, "PermissionDenied"),
        (404, "NotFound"),
        (409, "Conflict"),
        (412, "PreconditionFailed"),
        (413, "FileTooLarge"),
        (415, "UnsupportedMediaType"),
        (418, "ApiError"),
        (422, "InvalidState"),
        (429, "RateLimited"),
        (503, "ServerError"),
    ],
)
def test_each_status_has_its_class(status: int, name: str) -> None:
    assert error_class_for_status(status).__name__ == name
