# SPDX-License-Identifier: BSD-3-Clause
"""``calotype codecs``: the codecs, and the weights that are installed for them."""

from __future__ import annotations

import json

import typer

from .catalogue import all_codecs
from .lesson import lesson
from .options import Json
from .problems import guarded
from .screen import facts
from .sizes import format_size

HELP = lesson(
    "List the codecs, the weights that are installed for them, and their options.",
    {
        "codecs": "a table",
        "codecs --json": "for programs",
        "encode photo.png --codec talbot --effort 1": "use one of them",
    },
    "A .calo file names the first eight digits of the hash of the weights that decode it.",
)


@guarded
def codecs(as_json: Json = False) -> None:
    """See :data:`HELP`."""
    known = all_codecs()
    if as_json:
        records = [
            {
                "id": codec.id,
                "title": codec.title,
                "paper": codec.paper,
                "options": [option.record for option in codec.takes],
                "weightless": codec.weightless,
                "weights": [{"id": b.id, "hash": b.hash, "size": b.size, "path": str(b.path)} for b in codec.bundles()],
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
        mine = codec.bundles()
        weights = "\n".join(b.hash[:8] if b.id == codec.id else f"{b.hash[:8]} {b.id}" for b in mine)
        weights = weights or ("none needed" if codec.weightless else "not installed")
        sizes = "\n".join(format_size(b.size) for b in mine)
        table.add_row(*map(Text, (codec.id, codec.title, codec.paper, weights, sizes)))
    facts().print(table)

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("codec", "option", "values", "default", "what it is"):
        table.add_column(name, no_wrap=name in ("codec", "option"))
    for codec in known:
        for option in codec.takes:
            table.add_row(*map(Text, (codec.id, option.flag, option.values, option.shown, option.help)))
    facts().print(table)
