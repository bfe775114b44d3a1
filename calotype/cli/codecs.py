# SPDX-License-Identifier: BSD-3-Clause
"""``calotype codecs``: the codecs, and the weights that are installed for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from .catalogue import all_codecs
from .lesson import lesson
from .options import Json
from .problems import guarded
from .screen import facts
from .sizes import format_size

if TYPE_CHECKING:
    from rich.table import Table

    from ..codecs import Entry

LABELS = 12  # cells: as wide as the longest option of ours, so that all codecs have the same columns

HELP = lesson(
    "List the codecs, the weights that are installed for them, and their options.",
    {
        "codecs": "all of them",
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

    from rich.padding import Padding
    from rich.text import Text

    console = facts()
    for number, codec in enumerate(known):
        if number:
            console.print()
        console.print(Text(codec.id, style="bold"))
        console.print(Padding(_sheet(codec), (0, 0, 0, 2), expand=False))


def _sheet(codec: Entry) -> Table:
    """All about one codec, in two columns."""
    from rich.table import Table
    from rich.text import Text

    weights = [
        f"{b.hash[:8]}  {format_size(b.size):>7}  {b.id if b.id != codec.id else ''}".rstrip() for b in codec.bundles()
    ]
    rows = {
        "what it is": codec.title,
        "paper": codec.paper,
        "weights": "\n".join(weights) or ("none needed" if codec.weightless else "not installed"),
        **{o.flag: f"{o.values}; default: {o.shown}\n{o.help}" for o in codec.takes},
    }
    sheet = Table.grid(padding=(0, 2))
    sheet.add_column(no_wrap=True, min_width=LABELS)
    for name, value in rows.items():
        sheet.add_row(Text(name), Text(value))
    return sheet
