# SPDX-License-Identifier: BSD-3-Clause
"""A hook of MkDocs: pages may link to files outside ``docs``, as they do when they are read in the repository.

Plots of the benchmark and Markdown files outside become part of the site; a link to anything else becomes its path. A
link to what does not exist fails the build. The curves of the benchmark go to ``assets/results.js``, which the plots
read, and the tables of the README to where a page has ``<!-- tables -->``.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")  # of the repository, as pages of the site
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):(?=<code>)")  # of docstrings
TABLES = re.compile(r"<!-- results:begin -->\n(.*)<!-- results:end -->", re.S)  # in README.md
PLACE = "<!-- tables -->"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def curves() -> dict[str, Any]:
    """Title and averages of each codec of the benchmark."""
    summary = json.loads((RESULTS / "summary.json").read_text(encoding="utf-8"))
    found = {}
    for name in summary["speed"]:
        record = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        found[name] = {"title": record["description"].split(";")[0], **record["results"]}
    return found


def tables() -> str:
    """Those of the README; PluginError without its marks."""
    if found := TABLES.search((ROOT / "README.md").read_text(encoding="utf-8")):
        return found[1]
    raise PluginError("README.md has no tables between <!-- results:begin --> and <!-- results:end -->")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in what lies outside ``docs``."""
    for name in PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    for path in sorted((RESULTS / "plots").glob("*.svg")):
        files.append(File.generated(config, f"plots/{path.name}", abs_src_path=str(path)))
    # A script and not JSON: browsers let pages that were opened from a folder load scripts alone.
    files.append(File.generated(config, "assets/results.js", content=f"window.RESULTS = {json.dumps(curves())};\n"))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links that leave ``docs`` into links within the site, or into paths."""
    outside = page.file.src_uri in PAGES
    here = "" if outside else posixpath.dirname(f"docs/{page.file.src_uri}")

    def replace(match: re.Match[str]) -> str:
        mark, text, target, anchor = match[1], match[2], match[3], match[4] or ""
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(here, target))
        if path.startswith("docs/") and not outside:
            return match[0]
        if not (ROOT / path).exists():
            raise PluginError(f"{page.file.src_uri}: there is no {target}")
        if path.startswith("docs/"):
            inside = path.removeprefix("docs/")
        elif path.endswith(".svg") and (ROOT / path).parent == RESULTS / "plots":
            inside = f"plots/{posixpath.basename(path)}"
        elif path in PAGES:
            inside = path
        else:
            return text if text.startswith("`") else f"{text} (`{path}`)" if text != path else f"`{path}`"
        start = posixpath.dirname(page.file.src_uri) or "."
        return f"{mark}[{text}]({posixpath.relpath(inside, start)}{anchor})"

    return LINK.sub(replace, markdown.replace(PLACE, tables()) if PLACE in markdown else markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Docstrings name code with roles, which Markdown does not know."""
    return ROLE.sub("", html)
