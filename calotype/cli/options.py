# SPDX-License-Identifier: BSD-3-Clause
"""Arguments and options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT", show_default=False, help="Files, folders, or - for standard input.")
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", metavar="PATH", help="A file, a folder (end a new one with /), or - for standard output."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, max=64, metavar="N", help="Use N threads, 64 at most. Default: all cores, or 8."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        max=64,
        metavar="N",
        help="Work on N small pictures at a time, on one thread each; a large one has all threads. Default: "
        "--threads, or all cores.",
    ),
]
Preserve = Annotated[
    bool,
    typer.Option(
        "--preserve",
        help="Give outputs the modification times of their inputs, and let nobody read them who may not read those.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
