# SPDX-License-Identifier: BSD-3-Clause
"""``calotype codecs``: the codecs, and the weights that are installed for them."""

from __future__ import annotations

import json

import typer

from .lesson import lesson
from .options import Json
from .problems import guarded
from .screen import facts
from .sizes import format_size

HELP = lesson(
    "List the codecs and the weights that are installed for them.",
    {
        "codecs": "a table",
        "codecs --json": "for programs",
        "encode photo.png --codec talbot": "use one of them",
    },
    "A .calo file names the first eight digits of the hash of the weights that decode it.",
)


@guarded
def codecs(as_json: Json = False) -> None:
    """See :data:`HELP`."""
    from .. import codecs as registry
    from ..engine import bundles

    installed = bundles.installed()
    known = registry.available()
    if as_json:
        records = [
            {
                "id": codec.id,
                "title": codec.title,
                "paper": codec.paper,
                "weights": [
                    {"id": b.id, "hash": b.hash, "size": b.size, "path": str(b.path)}
                    for b in installed
                    if b.codec == codec.id
                ],
            }
            for codec in known
        ]
        typer.echo(json.dumps(records, indent=2))
        return

    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "what it is", "paper", "weights"):
        table.add_column(name, no_wrap=name in ("id", "weights"))
    table.add_column("size", justify="right", no_wrap=True)
    for codec in known:
        mine = [b for b in installed if b.codec == codec.id]
        weights = "\n".join(b.hash[:8] if b.id == codec.id else f"{b.hash[:8]} {b.id}" for b in mine) or "not installed"
        sizes = "\n".join(format_size(b.size) for b in mine)
        table.add_row(*map(Text, (codec.id, codec.title, codec.paper, weights, sizes)))
    facts().print(table)
