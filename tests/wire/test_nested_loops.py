"""Nested loops change asyncio for the whole process, so each story here has a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ARCHIVED = """
import asyncio
def apply():
    asyncio._nest_patched = True  # all that the archived 1.6 leaves to be seen, beside its own functions
"""


def run_story(story: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(story)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nested_loops_work_once_allowed_and_are_not_the_archived_kind(tmp_path: Path) -> None:
    story = """
        import asyncio
        from cint_nb.wire import loop_thread, loop_thread
        async def inner(): return "inner"
        async def cell():
            return asyncio.run(inner()), loop_thread.run(inner()), await loop_thread.run_on_loop(inner())
        assert not loop_thread.archived_nest_asyncio_applied()
        loop_thread.allow_nested_loops()
        loop_thread.allow_nested_loops()
        assert not loop_thread.archived_nest_asyncio_applied()
        print(*asyncio.run(cell()))
"""
    assert run_story(story, tmp_path) == "inner inner inner"


@pytest.mark.thorough
def test_nothing_is_patched_unless_asked_for(tmp_path: Path) -> None:
    story = """
        import asyncio, cint_nb.wire.loop_thread, cint_nb.wire.http
        print(hasattr(asyncio, "_nest_patched"))
"""
    assert run_story(story, tmp_path) == "False"


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("module", ["archived", "real"])
def test_the_archived_patch_is_seen_and_everything_of_ours_works_after_it(tmp_path: Path, module: str) -> None:
    if module == "real":
        pytest.importorskip("nest_asyncio")
    else:
        (tmp_path / "nest_asyncio.py").write_text(ARCHIVED)
    story = """
        import sys
        sys.path.insert(0, ".")
        import asyncio, nest_asyncio
        from cint_nb.wire import loop_thread, loop_thread
        nest_asyncio.apply()
        async def inner(): return "fine"
        async def cell(): return loop_thread.run(inner()), await loop_thread.run_on_loop(inner())
        print(loop_thread.archived_nest_asyncio_applied(), *asyncio.run(cell()))
"""
    assert run_story(story, tmp_path) == "True fine fine"
