"""What all errors of the package have in common: four lines, and how they read in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cint_nb.domain.tracebacks import notebook_traceback, wants_full_tracebacks


class CintError(Exception):
    """Report a problem as four lines: what happened, what we know, what is safe, what to do next.

    Args:
        what: One sentence that says what happened.
        evidence: Known facts such as `status`, `request_id`, `job_id`, `field` or `line`. Never ids of respondents.
        safe: What is safe to do or to assume now.
        next_step: The next thing to do.
    """

    code: ClassVar[str] = "cint_error"
    always_safe: ClassVar[str] = ""

    def __init__(
        self, what: str, *, evidence: Mapping[str, Any] | None = None, safe: str = "", next_step: str = ""
    ) -> None:
        self.what = what
        self.evidence: dict[str, Any] = {key: value for key, value in (evidence or {}).items() if value is not None}
        self.safe = safe or self.always_safe
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        """Write the message with its evidence, what is safe and the next step, one line each."""
        known = ", ".join(f"{key}={value}" for key, value in self.evidence.items())
        parts = {"Known": known, "Safe": self.safe, "Next": self.next_step}
        return "\n".join([self.what, *(f"{word}: {text}" for word, text in parts.items() if text)])

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """Answer IPython, which asks by this name for another text than its own traceback."""
        if wants_full_tracebacks():
            raise AttributeError("_render_traceback_")
        return lambda: notebook_traceback(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with everything that came after the message, but for the raw reply, which may hold ids."""
        kept = {name: value for name, value in self.__dict__.items() if name != "body"}
        return (type(self), (self.what,), kept)
