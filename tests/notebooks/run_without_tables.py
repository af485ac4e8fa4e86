"""Run the cells of a notebook where numpy and pandas are missing, as in a browser; print what each shows, as JSON.

A cell may `await`. Started as a program, because what a process has imported it cannot forget.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import sys
from typing import Any


async def show(source: str, names: dict[str, Any]) -> str:
    """Execute a cell and return what it prints, and after it the repr of its last expression where that is not None."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        value = await evaluate(source, names)
    return printed.getvalue() + ("" if value is None else repr(value))


async def evaluate(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell and return the value of its last expression; None where it ends on a statement."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    value: Any = None
    for part in (tree, ast.Expression(last.value) if isinstance(last, ast.Expr) else None):
        value = None
        if part is not None:
            mode = "eval" if isinstance(part, ast.Expression) else "exec"
            code = compile(part, "cell", mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            value = eval(code, names)  # noqa: S307 - the cells of our own notebook
            if code.co_flags & inspect.CO_COROUTINE:
                value = await value
    return value


async def run(sources: list[str]) -> list[str]:
    """Execute cells one after another, as a kernel does."""
    names: dict[str, Any] = {}
    return [await show(source, names) for source in sources]


if __name__ == "__main__":
    for missing in ("numpy", "pandas"):
        sys.modules[missing] = None  # type: ignore[assignment]  # this is how an import is made to fail
    json.dump(asyncio.run(run(json.load(sys.stdin))), sys.stdout)
