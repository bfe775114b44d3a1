# SPDX-License-Identifier: BSD-3-Clause
"""One unit at work: each picture becomes an output and a row, or a row with its error."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any

from ..errors import describe
from . import manifest
from .listing import Piece
from .manifest import Row
from .order import Made, Order


class Attempts:
    """Rows of a unit, while it is worked on."""

    def __init__(self, order: Order, run: int) -> None:
        self.order = order
        self.rows: list[Row] = []
        self.common = {"settings": order.settings, "run": run}

    def make(self, item: Piece, data: bytes | Exception, member: str = "", output: str | None = None) -> bytes | None:
        """The output for the bytes of a picture, or for what kept them from being read; None if it is bad."""
        began, made, error = time.perf_counter(), None, ""
        try:
            if isinstance(data, Exception):
                raise data
            made = self.order(data)
        except Exception as problem:  # of any kind: the other pictures do not pay for this one
            error = describe(problem)
        facts = {} if made is None else _facts(made)
        if isinstance(data, bytes):
            facts |= {"hash": hashed(data), "size": len(data)}
        if not member and item.size != facts.get("size", item.size):
            facts["size"] = item.size  # it changed while it was read: the next run shall see that
        facts |= {"output": item.output if output is None else output, "error": error or None}
        self.add(item, member=member, seconds=time.perf_counter() - began, **facts)
        return None if made is None else made.data

    def add(self, item: Piece, **facts: Any) -> None:
        """Add a row."""
        self.rows.append(manifest.row(item, **self.common, **facts))


def hashed(data: bytes) -> str:
    """Hash of contents, as the manifest has it."""
    return blake2b(data, digest_size=16).hexdigest()


def _facts(made: Made) -> Row:
    facts: Row = {"width": made.width, "height": made.height, "bytes": len(made.data), "ssimulacra2": made.score}
    return facts | {"output_hash": hashed(made.data), "warnings": "\n".join(made.warnings) or None}
