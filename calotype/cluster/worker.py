# SPDX-License-Identifier: BSD-3-Clause
"""An actor: does units of work one after another, on one thread, with the models that it has loaded.

A bad picture is a row with its error. What goes wrong with the destination ends the run: nothing else would go right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from . import manifest, shards, tables
from .attempts import Attempts
from .listing import TABLE, TAR, Piece, Unit
from .manifest import Row
from .order import Order
from .store import Store

AT_A_TIME = 8  # files that are read or written, while one is worked on
MOST_TOLD = 20  # errors of a unit that are shown; the manifest has them all


@dataclass
class Tally:
    """Sums of a unit, or of a run."""

    done: int = 0  # pictures
    failed: int = 0
    before: int = 0  # bytes of the pictures that are done
    after: int = 0
    weight: int = 0  # bytes of the unit, as it was listed
    keys: list[str] = field(default_factory=list)  # of items that had a row before, as hexadecimal digits
    errors: list[tuple[str, str]] = field(default_factory=list)  # names and sentences

    def add(self, other: Tally) -> None:
        """Add the numbers of another."""
        self.done += other.done
        self.failed += other.failed
        self.before += other.before
        self.after += other.after
        self.weight += other.weight


class Worker:
    """What Ray Data calls with batches of one row: a unit in, its sums out.

    Args:
        order: what to do with each picture.
        source, destination: URLs.
        run: the number of this run.
        column: of tables, the one with pictures; None for the first that has files in it.
        suffixes: of pictures.
        suffix: of outputs.
    """

    def __init__(
        self, order: Order, source: str, destination: str, run: int, column: str | None, suffixes: frozenset[str],
        suffix: str,
    ) -> None:  # fmt: skip
        self.order, self.run, self.column, self.suffixes, self.suffix = order, run, column, suffixes, suffix
        self.source, self.destination = Store(source), Store(destination)
        self.pool = ThreadPoolExecutor(AT_A_TIME, "files")

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Do what a batch says."""
        return {"tally": [json.dumps(vars(self.do(Unit.from_json(str(text))))) for text in batch["unit"]]}

    def do(self, unit: Unit) -> Tally:
        """Make the outputs of a unit, then its part of the manifest."""
        attempts = Attempts(self.order, self.run)
        if unit.kind == TAR:
            shards.convert(self.source, self.destination, unit.items[0], attempts, self.suffixes, self.suffix)
        elif unit.kind == TABLE:
            tables.convert(self.source, self.destination, unit.items[0], attempts, self.column, self.suffix)
        else:
            self._files(unit, attempts)
        manifest.write(self.destination, unit.id, attempts.rows)
        return _tally(unit, attempts.rows)

    def _files(self, unit: Unit, attempts: Attempts) -> None:
        writes = []
        for item, data in zip(unit.items, self._read(unit), strict=True):
            made = attempts.make(item, data)
            if made is not None:
                writes.append(self.pool.submit(self.destination.write, item.output, made))
        for write in writes:
            write.result()

    def _read(self, unit: Unit) -> Iterator[bytes | Exception]:
        """The files of a unit, read ahead."""

        def read(item: Piece) -> bytes | Exception:
            try:
                return self.source.read(item.source)
            except Exception as error:  # a bad file is a row
                return error

        return self.pool.map(read, unit.items)


def _tally(unit: Unit, rows: list[Row]) -> Tally:
    tally = Tally(weight=unit.size, keys=[item.key.hex() for item in unit.items])
    for row in rows:
        if unit.kind and not row["member"] and not row["error"]:
            continue  # of the shard itself
        if row["error"]:
            tally.failed += 1
            name = "/".join(filter(None, [row["source"], row["member"]]))
            tally.errors.append((name or unit.items[0].output, row["error"]))
        else:
            tally.done += 1
            tally.before += row["size"]
            tally.after += row["bytes"]
    del tally.errors[MOST_TOLD:]
    return tally
