"""A sandbox for a class: each student has a token, and with it an account of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.http.app import HostGuard
from cint_nb.sandbox.http.control_api import advance, clock_routes
from cint_nb.sandbox.http.control_page import render_classroom
from cint_nb.sandbox.sandbox import ACCOUNT_ID, START, Sandbox
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.rules import ExchangeRules

MAX_STUDENTS = 500
_STUDENT_PATH = re.compile(r"(/student-(\d{2,3}))(/.*)?", re.ASCII | re.DOTALL)


class Student(NamedTuple):
    """A student: the number, the account, the token that leads to it, and the path of its API."""

    number: int
    account_id: int
    token: str
    path: str


class Classroom:
    """A sandbox of several accounts, one for each student.

    Accounts share nothing: projects, business units, clock, faults and state are each student's own, and no token
    reaches another account. They have the same people, so that one respondent file serves all, but ids and the course
    of fieldwork differ. Account 101, which the examples use, stands for one's own.

    An API is at its student's path, `/student-07/v1`. Under the common path `/v1` the token decides; there all
    accounts have one clock, and whoever waits or advances it lets time pass for the whole class.

    Tokens keep students apart, not attackers: they follow from the seed, and the pages and control APIs need none.

    Args:
        students: How many; 1 to 500.
        seed: Decides people, ids and tokens: the same seed gives the same tokens.
        speed: Virtual seconds per real second; with None time is paused until a client advances it.
        faults: Faults to inject in every account.
        start: Moment at which the world starts, UTC.
        state: File that stores the first account; the others are stored beside it, `class-02.sqlite` and so on.
        population: The parameters of people's behaviour.
        missingness: What decides who is missing from recontact waves.
        rules: What every account does where no source says what the exchange does.

    Raises:
        ValueError: for another number of students, or a fault or state file that cannot be used.
    """

    def __init__(
        self,
        students: int,
        *,
        seed: int = 1,
        speed: float | None = None,
        faults: Sequence[str] = (),
        start: datetime = START,
        state: Path | None = None,
        population: PopulationParameters | None = None,
        missingness: Missingness | None = None,
        rules: ExchangeRules | None = None,
    ) -> None:
        if not 1 <= students <= MAX_STUDENTS:
            raise ValueError(f"a class has 1 to {MAX_STUDENTS} students, not {students}")
        self.students = [_make_student(seed, number) for number in range(1, students + 1)]
        self.sandboxes = {
            student.token: Sandbox(
                seed=seed,
                speed=speed,
                faults=faults,
                start=start,
                state=_state_of(state, student.number),
                population=population,
                missingness=missingness,
                account_id=student.account_id,
                student_token=student.token,
                rules=rules,
            )
            for student in self.students
        }
        self.clock = SandboxClock(start, speed)
        self.clock.advance_to(min(sandbox.clock.elapsed for sandbox in self.sandboxes.values()))
        self.app = _ClassroomApp(self)

    def advance(self, seconds: float) -> None:
        """Advance time in all accounts.

        Raises:
            ValueError: for a negative number of seconds or more than 400 days.
        """
        for sandbox in self.sandboxes.values():
            advance(sandbox, seconds)
        self.clock.advance(seconds)

    def sandbox_of(self, number: int) -> Sandbox:
        """Return the sandbox of a student; KeyError for a number that nobody has."""
        if not 1 <= number <= len(self.students):
            raise KeyError(number)
        return self.sandboxes[self.students[number - 1].token]

    def table(self, url: str) -> list[str]:
        """Return the lines of a table of all students: number, account, token and address.

        Args:
            url: The address at which the class is served, such as `http://127.0.0.1:8000`.
        """
        width = len(self.students[0].token)
        lines = [f"{'student':>7}  {'account':>7}  {'token':<{width}}  API"]
        lines += [
            f"{student.number:>7}  {student.account_id:>7}  {student.token}  {url}{student.path}"
            for student in self.students
        ]
        return lines

    def close(self) -> None:
        """Save the time and close the state files, if there are any."""
        for sandbox in self.sandboxes.values():
            sandbox.close()

    def __repr__(self) -> str:
        """Show how many students there are; no tokens."""
        return f"<Classroom of {len(self.students)} students>"


class _ClassroomApp:
    """The ASGI app of a class: finds the account of a request and passes it to that account's own app."""

    def __init__(self, classroom: Classroom) -> None:
        self._classroom = classroom
        self._own = Starlette(
            routes=[Route("/", self._page), *clock_routes(classroom.clock, classroom.advance)],
            middleware=[Middleware(HostGuard)],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"]
        student = _STUDENT_PATH.fullmatch(path)
        if path == "/" or path.startswith("/sandbox/"):
            await self._own(scope, receive, send)
        elif student is None:
            await self._sandbox_of_token(scope).app(scope, receive, send)
        else:
            await self._serve_student(student, scope, receive, send)

    async def _serve_student(self, match: re.Match[str], scope: Scope, receive: Receive, send: Send) -> None:
        prefix, number, rest = match.groups()
        try:
            app = self._classroom.sandbox_of(int(number)).app
        except KeyError:
            await Response(status_code=404)(scope, receive, send)
            return
        if rest is None:
            await RedirectResponse(f"{prefix}/")(scope, receive, send)
            return
        await app({**scope, "path": rest, "raw_path": rest.encode(), "root_path": prefix}, receive, send)

    def _sandbox_of_token(self, scope: Scope) -> Sandbox:
        """Return the sandbox that a token leads to; without a known one the first, which rejects it."""
        value = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        token = value.decode("latin-1").partition(" ")[2]
        return self._classroom.sandboxes.get(token) or self._classroom.sandbox_of(1)

    async def _page(self, _request: Request) -> Response:
        rows = [
            {
                "student": f'<a href="/student-{student.number:02}/">{student.number}</a>',
                "account": str(student.account_id),
                "projects": ", ".join(escape(project.name) for project in sandbox.world.projects.values()),
                "time": sandbox.world.format_time(sandbox.clock.elapsed),
            }
            for student, sandbox in zip(self._classroom.students, self._classroom.sandboxes.values(), strict=True)
        ]
        return HTMLResponse(*render_classroom(rows))


def _make_student(seed: int, number: int) -> Student:
    account_id = ACCOUNT_ID + number - 1
    digest = hashlib.sha256(f"student:{seed}:{account_id}".encode()).hexdigest()
    return Student(number, account_id, f"student-{number:03}-{digest[:16]}", f"/student-{number:02}/v1")


def _state_of(path: Path | None, number: int) -> Path | None:
    if path is None or number == 1:
        return path
    return path.with_name(f"{path.stem}-{number:02}{path.suffix}")
