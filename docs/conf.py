"""Sphinx settings of the documentation. `nox -s docs` builds it: `tools/build_docs.py` brings the sources together."""

from __future__ import annotations

import inspect
import os
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes

import cint_nb

SETTINGS = tomllib.loads((Path(os.environ["CINT_NB_DOCS_ROOT"]) / "pyproject.toml").read_text(encoding="utf-8"))
REPOSITORY = SETTINGS["tool"]["cint_nb"]["repository"]

project = "cint_nb"
author = SETTINGS["project"]["authors"][0]["name"]
project_copyright = f"{author}, MIT licence"
version = release = cint_nb.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "code"
nitpicky = True
# What other libraries document is named, not linked: no other site is asked for its inventory. So are what passes
# between our own rooms without being taken or given by a user, and unions that Python 3.11 gives as one text.
_INNER = r"cint_nb\.(api|wave|wire|panels|sandbox)\.[a-z_]+\..*"
nitpick_ignore_regex = [("py:.*", r"(?!cint_nb).*"), ("py:.*", _INNER), ("py:.*", r".* \| .*"), ("py:.*", r".*\.Cell")]
exclude_patterns = ["_build"]
suppress_warnings = ["myst.header", "config.cache"]  # the course's pages begin where their notebook begins

nb_execution_mode = "off"  # the outputs are those the tests compare
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # a stored page needs no widget library from elsewhere
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False  # "A table: ..." is a sentence, no type
napoleon_custom_sections = [("Assumes", "notes_style"), ("Formula", "notes_style"), ("Columns", "notes_style")]

html_theme = "pydata_sphinx_theme"
html_title = f"cint_nb {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_theme_options: dict[str, Any] = {
    "show_prev_next": True,
    "navigation_depth": 3,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-light",
    "pygments_dark_style": "a11y-dark",
    "icon_links": [],
}
if REPOSITORY:
    html_theme_options["icon_links"] = [{"name": "Repository", "url": REPOSITORY, "icon": "fa-solid fa-code-branch"}]
mathjax_path = "none.js"  # no page has a formula that needs it, and none may be fetched


def _public_homes() -> dict[str, str]:
    """Return for each inner name of a public thing the name users know."""
    homes: dict[str, str] = {}
    rooms = [cint_nb, *(each for name in cint_nb.__all__ if inspect.ismodule(each := getattr(cint_nb, name)))]
    for room in rooms:
        for name in room.__all__:
            thing = getattr(room, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                homes.setdefault(f"{thing.__module__}.{thing.__qualname__}", f"{room.__name__}.{name}")
    return homes


HOMES = _public_homes()


def resolve_public_name(app: Any, env: Any, node: Any, contnode: Any) -> Any:  # noqa: ARG001
    """Link an inner name, as annotations carry it, to the page of its public name."""
    target = node.get("reftarget", "")
    public = HOMES.get(target)
    if public is None:
        return None
    domain = env.get_domain("py")
    found = domain.objects.get(public)
    if found is None:
        return None
    shown = nodes.literal(public.rpartition(".")[2], public.rpartition(".")[2])
    return domain_reference(app, node, found, shown)


def domain_reference(app: Any, node: Any, found: Any, shown: nodes.Node) -> nodes.Node:
    """Return a reference to a documented object."""
    from sphinx.util.nodes import make_refnode

    return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, shown, found.docname)


def show_fences(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Turn Markdown code in a docstring, which reads well in a notebook, into what Sphinx knows."""
    shown: list[str] = []
    inside: str | None = None
    for line in lines:
        if line.lstrip().startswith("```"):
            indent = line[: len(line) - len(line.lstrip())]
            shown += ["", f"{indent}.. code-block:: {line.strip('` ')}", ""] if inside is None else [""]
            inside = indent if inside is None else None
        else:
            shown.append(line if inside is None or not line else f"   {line}")
    lines[:] = shown


def setup(app: Any) -> None:
    """Connect what the settings alone cannot say."""
    app.connect("autodoc-process-docstring", show_fences, priority=400)
    app.connect("missing-reference", resolve_public_name)
