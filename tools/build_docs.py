"""Build the documentation: bring its sources together, write the API pages, and run Sphinx with the network cut.

The sources are `docs/`, the notebooks with their stored outputs, and the change log. Links between them lead to pages
of the site; a link to other files of the repository leads there, if pyproject.toml names it, and is plain text if not.

Usage: build_docs.py [--out FOLDER] [--lite FOLDER]; the site is in FOLDER/html, one folder that any static host can
serve. With --lite, what `nox -s lite` has built becomes the folder `lite` in it, and a page has the link that opens it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any, NoReturn
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"(?<!\!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "notebooks/README.md": "course/index.md",
}
_NOT_SEARCHED = ("CHANGELOG.md", "CONTRIBUTING.md")  # they have every word somewhere, and so stood above every answer
_LITE_PAGE = "analysts/in_the_browser.md"
_LITE_NOTEBOOK = "a-wave-in-the-browser.ipynb"
_STAGE = """\
Every public name, with an example that the tests run on the sandbox. An example begins with
``import cint_nb as cint`` and uses these names, made anew for each:

============================ ========================================================================
``client``                   ``cint.connect("sandbox")``
``people``, ``plan``         a list of 57 respondents, and a plan to recontact them for 20 completes
``draft``                    a wave that was created
``wave``                     a wave that was uploaded as well
``live``, ``closed``         a wave that is in the field for three days, and one that was closed then
``ref``                      ``live.target_group``
``report``, ``history``      ``closed.report()``, and a history to which ``closed`` was added
``fresh``                    a wave of new people, a day in the field, with quotas by gender
``pd``, ``timedelta``        pandas, and ``datetime.timedelta``
============================ ========================================================================""".splitlines()
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def repository() -> str:
    """Return the address of the repository, the one setting in pyproject.toml; empty until it is known."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(settings["tool"]["cint_nb"]["repository"]).rstrip("/")


def site_path(path: str) -> str | None:
    """Return where a file of the repository is in the sources of the site; None if it is no part of it."""
    if path in _PAGES:
        return _PAGES[path]
    if path.startswith("docs/") and path.endswith((".md", ".png")):
        return path.removeprefix("docs/")
    if path.startswith("notebooks/") and path.endswith(".ipynb"):
        return "course/" + path.removeprefix("notebooks/")
    return "index.md" if path == "README.md" else None


def rewrite_links(text: str, source: str) -> str:
    """Return a text whose relative links lead to pages of the site, to the repository, or nowhere.

    Args:
        text: Markdown.
        source: The path of its file in the repository.
    """
    here = str(PurePosixPath(site_path(source) or source).parent)

    def link(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        path = normpath(str(PurePosixPath(source).parent / target))
        inside = site_path(path)
        if inside is not None:
            return f"[{words}]({relpath(inside, here)}{anchor})"
        home = repository()
        return f"[{words}]({home}/blob/HEAD/{path}{anchor})" if home else words

    kept: list[str] = []
    last = 0
    for fence in _FENCE.finditer(text):
        kept += [_LINK.sub(link, text[last : fence.start()]), fence[0]]
        last = fence.end()
    return "".join([*kept, _LINK.sub(link, text[last:])])


def assemble(target: Path) -> None:
    """Bring the sources of the site together in a folder."""
    shutil.copytree(ROOT / "docs", target, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("sheets", "templates"):
        (target / "course" / folder).mkdir(parents=True)
    for page in [*(ROOT / "docs").rglob("*.md"), *(ROOT / each for each in _PAGES)]:
        source = page.relative_to(ROOT).as_posix()
        text = rewrite_links(page.read_text(encoding="utf-8"), source)
        if source in _NOT_SEARCHED:
            text = f"---\nno-search: true\n---\n\n{text}"
        (target / str(site_path(source))).write_text(text, encoding="utf-8")
    notebooks = ROOT / "notebooks"
    course = sorted(notebooks.glob("[0-9][0-9]-*.ipynb"))
    sheets, templates = (sorted((notebooks / folder).glob("*.ipynb")) for folder in ("sheets", "templates"))
    for notebook in [*course, *sheets, *templates]:
        source = notebook.relative_to(ROOT).as_posix()
        (target / str(site_path(source))).write_text(_page_of(notebook, source), encoding="utf-8")
    with (target / "course" / "index.md").open("a", encoding="utf-8") as index:
        for caption, pages in (("Notebooks", course), ("Sheets for a class", sheets), ("Templates", templates)):
            names = [page.relative_to(notebooks).with_suffix("").as_posix() for page in pages]
            index.write("\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```", ""]))


def _page_of(notebook: Path, source: str) -> str:
    """Return a notebook as a page: its links lead to pages, and checks that a reader skips stay out."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = rewrite_links("".join(cell["source"]), source)
    return json.dumps(content)


def with_lite(text: str) -> str:
    """Return a page whose marked place holds the link to the site without a server, not how to build it.

    Args:
        text: A page that says between two marks what holds while there is no such site beside it.
    """
    link = f'<p><a class="lite" href="../lite/lab/index.html?path={_LITE_NOTEBOOK}">Open it in this browser</a></p>'
    return re.sub(r"<!-- lite -->.*?<!-- /lite -->", link, text, flags=re.DOTALL)


def write_api(target: Path) -> None:
    """Write a page for each group of public names, made from what the package says is public."""
    sys.path.insert(0, str(ROOT))
    cint = importlib.import_module("cint_nb")
    pages = dict(_api_pages(cint))
    folder = target / "engineers" / "api"
    folder.mkdir(parents=True)
    for name, lines in pages.items():
        (folder / f"{name}.rst").write_text("\n".join(lines) + "\n", encoding="utf-8")
    index = ["API reference", "=============", "", *_STAGE, ""]
    index += [".. toctree::", "   :maxdepth: 1", "", *(f"   {name}" for name in pages)]
    (folder / "index.rst").write_text("\n".join(index) + "\n", encoding="utf-8")


def _api_pages(cint: Any) -> Iterator[tuple[str, list[str]]]:
    titles = {"errors": "Errors", "frames": "Frames", "measure": "Measures", "plots": "Plots", "sandbox": "The sandbox"}
    own = [name for name in cint.__all__ if not name.startswith("_") and not inspect.ismodule(getattr(cint, name))]
    classes = [name for name in own if inspect.isclass(getattr(cint, name))]
    errors = [name for name in classes if issubclass(getattr(cint, name), Exception)]
    panels = [name for name in classes if getattr(cint, name).__module__.startswith("cint_nb.panels.")]
    large = ["Client", "Wave", "Respondents", "TargetGroupPlan"]
    yield "functions", _page("Functions", "cint_nb", [each for each in own if each not in classes])
    for name in large:
        yield name.lower(), _page(name, "cint_nb", [name])
    yield "client-groups", _client_groups(cint)
    rest = [name for name in classes if name not in {*large, *errors, *panels}]
    yield "values", _page("Values and results", "cint_nb", rest)
    yield "types", _types(cint)
    yield "panels", _page("Panels", "cint_nb", panels)
    for module in (each for each in cint.__all__ if inspect.ismodule(getattr(cint, each, None))):
        names = getattr(cint, module).__all__
        yield module, _page(titles.get(module, module.capitalize()), f"cint_nb.{module}", names, describe=True)


def _page(title: str, module: str, names: list[str], *, describe: bool = False) -> list[str]:
    """Return a page of names of a module; with `describe` the module's own text stands first."""
    lines = [title, "=" * len(title), ""]
    lines += (
        [f".. automodule:: {module}", "   :no-members:", ""] if describe else [f".. py:currentmodule:: {module}", ""]
    )
    room = importlib.import_module(module)
    for name in names:
        lines += _entry(room, module, name)
    return lines


def _entry(room: Any, module: str, name: str) -> list[str]:
    thing = getattr(room, name)
    if inspect.isclass(thing):
        kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
        members = [each for each, value in vars(thing).items() if _is_member(each, value)]
        options = [f"   :members: {', '.join(members)}"] if members else []
        return [f".. {kind}:: {module}.{name}", *options, ""]
    if inspect.isfunction(thing):
        return [f".. autofunction:: {module}.{name}", ""]
    return [f".. autodata:: {module}.{name}", "   :no-value:", ""]


def _is_member(name: str, value: Any) -> bool:
    """Return whether a name of a class is documented there: what is public, explains itself, and is of its own."""
    if name.startswith(("_", "model_")):
        return False
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    return bool(inspect.isfunction(function) or isinstance(value, property)) and bool(inspect.getdoc(function))


def _client_groups(cint: Any) -> list[str]:
    title = "The verbs of the client"
    lines = [title, "=" * len(title), "", "Each group is an attribute of :py:class:`cint_nb.Client`.", ""]
    for name, group in _group_objects(cint).items():
        kind = type(group)
        heading = f"client.{name}"
        lines += [heading, "-" * len(heading), "", f".. autoclass:: {kind.__module__}.{kind.__qualname__}"]
        lines += ["   :members:", "   :exclude-members: __init__", ""]
    return lines


def _types(cint: Any) -> list[str]:
    """Return the page of what verbs take and return beside the public names."""
    title = "Types of arguments and results"
    lines = [
        title,
        "=" * len(title),
        "",
        "What the verbs take and return, beside the public names: you receive these, and",
    ]
    lines += ["need no import to use them.", ""]
    rooms = [cint, *(getattr(cint, name) for name in cint.__all__ if inspect.ismodule(getattr(cint, name)))]
    public = {getattr(room, name) for room in rooms for name in room.__all__ if inspect.isclass(getattr(room, name))}
    functions = {
        getattr(room, name) for room in rooms for name in room.__all__ if inspect.isroutine(getattr(room, name))
    }
    groups = {type(value) for value in _group_objects(cint).values()}
    index = {
        value.__name__: value
        for name, module in list(sys.modules.items())
        if name.startswith(("cint_nb.domain", "cint_nb.history", "cint_nb.study", "cint_nb.measure"))
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__.startswith("cint_nb.") and not value.__name__.startswith("_")
    }
    found: set[type] = set()
    waiting: list[Any] = [*public, *groups, *functions]
    while waiting:
        text = " ".join(_annotations(waiting.pop()))
        new = {index[word] for word in re.findall(r"\w+", text) if word in index} - public - groups - found
        found |= new
        waiting += new
    for kind in sorted(found, key=lambda each: each.__name__):
        members = [each for each, value in vars(kind).items() if _is_member(each, value)]
        options = [f"   :members: {', '.join(members)}"] if members else []
        lines += [f".. autoclass:: {kind.__module__}.{kind.__qualname__}", *options, ""]
    return lines


def _annotations(thing: Any) -> Iterator[str]:
    """Yield what a function, or the public methods and fields of a class, are annotated with."""
    if not inspect.isclass(thing):
        yield from map(str, getattr(thing, "__annotations__", {}).values())
        return
    yield from (str(value) for name, value in vars(thing).get("__annotations__", {}).items() if name[0] != "_")
    for name, value in vars(thing).items():
        if name == "__init__" or _is_member(name, value):
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            yield from _annotations(inspect.unwrap(function))


def _group_objects(cint: Any) -> dict[str, Any]:
    """Return the groups of verbs of a client, by the name of their attribute."""
    with cint.connect("sandbox") as client:
        return {name: value for name, value in vars(client).items() if not name.startswith("_") and name != "aio"}


class _NoNetwork(OSError):
    """A build that asks another machine is no build of this site."""


def cut_network() -> None:
    """Let every connection of this process fail."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise _NoNetwork("the documentation is built without a network")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.create_connection = refuse
    socket.getaddrinfo = refuse


class _Page(HTMLParser):
    """What a page links to, loads, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the addresses and ids of a tag."""
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        if tag == "a" and (target := given.get("href")):
            self.links.append(target)
        elif address := given.get("src") or (given.get("href") if tag == "link" else None):
            self.loads.append(address)


def problems_of(site: Path) -> list[str]:
    """Return each link of the site that leads nowhere, and each thing that another machine would be asked for."""
    pages = {path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        found += [f"{name} loads {each}" for each in page.loads if re.match(r"(?!data:)[a-z]+:|//", each)]
        for link in dict.fromkeys(page.links):
            if re.match(r"[a-z]+:|//", link):
                continue
            file, _, anchor = unquote(link).partition("#")
            target = (path.parent / file.partition("?")[0]).resolve() if file else path
            if target not in pages and not target.is_file():
                found.append(f"{name} links to {link}, which does not exist")
            elif anchor and target in pages and anchor not in pages[target].anchors:
                found.append(f"{name} links to {link}, which has no such place")
    return found


def main(arguments: list[str]) -> int:
    """Build the site and return 0 if all is well with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / ".nox" / "documentation")
    parser.add_argument("--lite", type=Path, help="site of `nox -s lite`, to be published beside the pages")
    given = parser.parse_args(arguments)
    out, lite = given.out.resolve(), given.lite.resolve() if given.lite else None
    if lite is not None and not (lite / "lab" / "index.html").is_file():
        parser.error(f"there is no such site in {lite}: run nox -s lite first")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    cut_network()
    os.environ["CINT_NB_DOCS_ROOT"] = str(ROOT)
    os.environ["CINT_NB_JOURNAL"] = str(out / "journal.sqlite3")
    assemble(out / "source")
    if lite is not None:
        page = out / "source" / _LITE_PAGE
        page.write_text(with_lite(page.read_text(encoding="utf-8")), encoding="utf-8")
    write_api(out / "source")
    from sphinx.cmd.build import main as sphinx

    code = sphinx(["-q", "-W", "--keep-going", "-n", "-b", "html", str(out / "source"), str(out / "html")])
    if code:
        return int(code)
    (out / "html" / ".nojekyll").touch()  # else a host of repository pages leaves out folders with an underscore
    for unused in (".doctrees", "_sources"):
        shutil.rmtree(out / "html" / unused, ignore_errors=True)
    if lite is not None:
        shutil.copytree(lite, out / "html" / "lite")
    if problems := problems_of(out / "html"):
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    print(f"the site is in {out / 'html'}; open {out / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
