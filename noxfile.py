"""One name for each check; CI calls the same."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"  # run in the environment that holds nox, see CONTRIBUTING
nox.options.sessions = ["check", "test"]
nox.options.error_on_missing_interpreters = False  # also where nox finds itself in CI


@nox.session
def check(session: nox.Session) -> None:
    """Lint, format, types, import contract, spelling."""
    session.run("ruff", "check", ".")
    session.run("python", "tools/generate_plain.py", "--check")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-logo")
    session.run("codespell", "cint_nb", "notebooks", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")


@nox.session
def test(session: nox.Session) -> None:
    """Unit, contract, notebook and fault tests."""
    session.run("pytest", "-n", "3", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Only the notebooks, against their recordings."""
    session.run("pytest", "tests/notebooks", *session.posargs)


FAULTS = ("tests/faults", "tests/wave/test_changed_elsewhere.py", "tests/wave/test_killed.py")


def _cases(session: nox.Session) -> list[str]:
    """Return the arguments, with which cases to run: all of them, but for `-- --left-out`, as CI runs them."""
    return session.posargs if "--left-out" in session.posargs else ["--every-way", *session.posargs]


@nox.session
def faults(session: nox.Session) -> None:
    """Every fault at every step in every way of use; `-- --report` writes docs/faults.md anew."""
    session.run("pytest", *FAULTS, "-n", "3", *_cases(session))


@nox.session
def replies(session: nox.Session) -> None:
    """Every change of every key of every reply; `-- --report` writes docs/replies.md anew."""
    posargs = [each for each in session.posargs if each != "--report"]
    env = {"CINT_NB_WRITE_REPLIES": "1"} if "--report" in session.posargs else {}
    session.run("pytest", "tests/contract/changed_replies", "--every-way", *posargs, env=env)


@nox.session
def tables(session: nox.Session) -> None:
    """Every case of the other tests that plain `pytest` samples, and all examples of hypothesis."""
    session.run(
        "pytest",
        "-m",
        "sampled or thorough or hypothesis",
        *(f"--ignore={each}" for each in FAULTS),
        "-n",
        "3",
        *_cases(session),
    )


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Ask the served sandbox everything its description allows."""
    session.run("pytest", "tests/sandbox/test_schemathesis.py", "--every-way", *session.posargs)


LITE_SITE = Path(".nox/lite-site")
LITE_TEST = Path("tests/browser/test_lite.py")

LONG_BROWSER_TESTS = tuple(
    f"tests/browser/test_{each}.py" for each in ("notebooks_in_lab", "documentation", "jobs_in_lab")
)


@nox.session
def browser(session: nox.Session) -> None:
    """JupyterLab in headless Chromium; fails where there is none. `-- --part=1/8` runs a part of the long tables."""
    # Each file has a JupyterLab and a browser of its own: what one leaves behind spoils no other. Two at a time, since
    # they mostly wait; what takes longest first, so that nothing is left over at the end.
    every = {str(path) for path in Path("tests/browser").glob("test_*.py")} - {str(LITE_TEST), *LONG_BROWSER_TESTS}
    options = [each for each in session.posargs if each.startswith("-")]
    named = [each for each in session.posargs if each not in options] or [*LONG_BROWSER_TESTS, *sorted(every)]
    failed = []
    with ThreadPoolExecutor(2) as pool:
        for one, done in zip(named, pool.map(partial(_in_the_browser, options), named), strict=True):
            session.log(f"{one}:\n{done.stdout}")
            failed += [one] * (done.returncode != 0)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def _in_the_browser(options: list[str], tests: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of one file; what they say is shown when they are done, so that no two talk at once."""
    again = ("--reruns=2", "--rerun-show-tracebacks")
    return subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "--every-way", *again, *options, tests],
        env={**os.environ, "CINT_NB_BROWSER": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip


@nox.session(venv_backend="uv|venv", reuse_venv=True, python=["3.11", "3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """The suite on each Python, in an environment of its own; one that is not installed is left out."""
    session.install("--quiet", "-e", ".[test]")
    session.run("pytest", "-n", "3", *session.posargs)


@nox.session(venv_backend="uv|venv", reuse_venv=True, python="3.11")
def oldest(session: nox.Session) -> None:
    """The suite on the lowest versions pyproject.toml declares, in an environment of its own.

    Without the replays: what is stored in the notebooks is how the pinned versions show it.
    """
    session.run(
        "uv", "pip", "install", "--quiet", "--python", session.virtualenv.location,
        "--resolution", "lowest-direct", "-e", ".[test]", external=True,
    )  # fmt: skip
    session.run("pytest", "-n", "3", "--deselect", "tests/notebooks/test_replay.py", *session.posargs)


@nox.session(venv_backend="uv|venv", reuse_venv=True)
def kernels(session: nox.Session) -> None:
    """The panels on ipykernel 6, which serves no click while a cell runs; in an environment of its own."""
    session.install("--quiet", "-e", ".[test,browser]", "ipykernel==6.31.0")
    session.run("python", "-c", "import ipykernel; assert ipykernel.version_info[0] == 6, ipykernel.__version__")
    session.run("pytest", *(session.posargs or ["tests/panels"]), env={"CINT_NB_BROWSER": "1"})


@nox.session
def prism(session: nox.Session) -> None:
    """The client in live mode against Prism, a stock mock server; needs npm and CINT_NB_VENDOR_OPENAPI."""
    if not os.environ.get("CINT_NB_VENDOR_OPENAPI"):
        session.error("CINT_NB_VENDOR_OPENAPI must name the vendor's OpenAPI document.")
    folder = Path(".nox/prism").resolve()
    binary = folder / "node_modules" / ".bin" / "prism"
    if not binary.exists():
        package = "@stoplight/prism-cli@5.14.2"
        folder.mkdir(parents=True, exist_ok=True)
        session.run(
            "npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", package, external=True
        )
    session.run("pytest", "tests/contract/prism", *session.posargs, env={"CINT_NB_PRISM": str(binary)})


@nox.session
def audit(session: nox.Session) -> None:
    """Ask for known vulnerabilities of everything installed; a closed network is reported, not taken for an answer."""
    session.run("python", "-m", "tests.security.advisories")


@nox.session
def ages(session: nox.Session) -> None:
    """Ask the package index when each direct dependency was last released; writes the table of docs/security.md."""
    session.run("python", "-m", "tests.security.release_ages", *session.posargs)


@nox.session(venv_backend="uv|venv", reuse_venv=True)
def grading(session: nox.Session) -> None:
    """The sheets, graded by nbgrader beside the pinned versions: answers get all points, blanks none."""
    # Of the two graders of notebooks this one was released last, in September 2026; otter-grader in July.
    session.install("--quiet", "-e", ".[lab]", "nbgrader==0.9.6", "--constraint", "binder/constraints.txt")
    session.run("python", "tools/grade_sheets.py")


@nox.session
def record(session: nox.Session) -> None:
    """Make the recordings and the stored outputs of the notebooks again."""
    session.run("cint-nb", "record", "notebooks", "--into", "tests/recordings")


@nox.session
def plain(session: nox.Session) -> None:
    """Write the plain verbs, cint_nb/api/plain/, anew from the coroutines."""
    session.run("python", "tools/generate_plain.py")


@nox.session
def pins(session: nox.Session) -> None:
    """Compile the one tested set of versions."""
    session.run(
        "uv", "pip", "compile", "pyproject.toml", "--extra", "lab", "--extra", "files", "--extra", "history",
        "--extra", "weights", "--universal",
        "--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header",
        "--quiet", "--upgrade", "--output-file", "binder/constraints.txt",
    )  # fmt: skip


@nox.session(venv_backend="uv|venv", reuse_venv=True)
def docs(session: nox.Session) -> None:
    """The documentation, in an environment of its own: warnings are errors, and no other machine is asked."""
    session.install("--quiet", "-e", ".[docs]")
    session.run("python", "tools/build_docs.py", "--out", ".nox/documentation", *session.posargs)


@nox.session(venv_backend="venv", reuse_venv=True)  # whose pip fetches the wheels of the site
def lite(session: nox.Session) -> None:
    """The site that needs no server, from the package registries; its notebook is run in headless Chromium.

    `-- --build-only` leaves the browser out; other arguments are those of tools/build_lite.py. It needs npm.
    """
    session.install("--quiet", "-r", "packaging/lite/requirements.txt")
    arguments = [each for each in session.posargs if each != "--build-only"]
    session.run("python", "tools/build_lite.py", "--out", str(LITE_SITE), *arguments)
    if "--build-only" not in session.posargs:  # with the environment that holds nox, as the other browser tests
        session.run("pytest", "--reruns=2", str(LITE_TEST), external=True, env={"CINT_NB_BROWSER": "1"})


@nox.session
def dist(session: nox.Session) -> None:
    """Wheel and sdist, built twice and compared, and checked as a package index checks them."""
    session.run("python", "tools/set_repository.py", "--check")
    session.run("python", "tools/build_dist.py")
    session.run("twine", "check", "--strict", *sorted(map(str, Path("dist").iterdir())))


@nox.session
def picture(session: nox.Session) -> None:
    """Take the picture of the README and of the first page of the documentation, in JupyterLab in Chromium."""
    session.run("python", "-m", "tests.browser.picture_of_a_wave", env={"CINT_NB_BROWSER": "1"})


@nox.session
def bench(session: nox.Session) -> None:
    """Every benchmark, as ratios of one run; `-- --report` writes docs/performance.md, `--large` its largest sizes."""
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def laboratory(session: nox.Session) -> None:
    """Two hundred studies for each mechanism of missingness; `-- --report` writes the table of docs/laboratory.md."""
    session.run("python", "-m", "benchmarks.two_wave_studies", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """One wave with curl and a generated client, one panel with R, and both with cint_nb; writes docs/comparison.md."""
    session.run("python", "benchmarks/peers/run.py", *(session.posargs or ["--report"]))
    session.run("python", "benchmarks/peers/run_panel.py", "--report")
