# SPDX-License-Identifier: BSD-3-Clause
"""Account of a run: a row for each picture, in Parquet files below ``DESTINATION/_manifest``.

Any reader takes the folder as one table: ``pyarrow.parquet.read_table("DESTINATION/_manifest")``. Each unit of work
adds a part when its outputs are there. Names that begin with an underscore are passed over by those who read the
destination itself as a data set.

::

    source         path from the source          member   name inside a shard, number of a row; empty for a file
    output         path from the destination     version  of the source: modification time, or the store's tag
    size           bytes of the source           hash     BLAKE2b of its bytes, 16 bytes as hexadecimal digits
    settings       JSON                          run      1 for the first into this destination
    width, height  of the picture in the output  seconds  of work
    bytes          of the output                 output_hash
    ssimulacra2    if it was asked for           warnings
    error          what is wrong with the picture; null for a good one

A shard or a table has a row of its own, with an empty ``member``, besides those of its pictures.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from ..errors import CalotypeError
from ..version import __version__
from .listing import Piece, digest, storable
from .store import Store

FOLDER = "_manifest"
SUFFIX = ".parquet"
AT_A_TIME, AHEAD = 16, 256  # parts that are read, and that are held
Row = dict[str, Any]


@cache
def schema() -> Any:
    """The columns, as a schema of PyArrow."""
    import pyarrow as pa

    text = {name: pa.string() for name in ("source", "member", "output", "version", "hash")}
    numbers = {"group": pa.int32(), "size": pa.int64(), "width": pa.int32(), "height": pa.int32(), "bytes": pa.int64()}
    rest = {"output_hash": pa.string(), "ssimulacra2": pa.float32(), "warnings": pa.string(), "error": pa.string()}
    last = {"seconds": pa.float32(), "settings": pa.string(), "run": pa.int32()}
    return pa.schema(text | numbers | rest | last, metadata={"calotype": __version__})


def row(item: Piece, **facts: Any) -> Row:
    """A row; what is not known is null."""
    known: Row = dict.fromkeys(schema().names)
    about = {"source": item.source, "output": item.output, "size": item.size, "version": item.version}
    return known | {"member": "", "group": item.group} | about | facts


@dataclass
class Account:
    """What earlier runs have done, as far as it still stands.

    Attributes:
        done: by the keys of items, fingerprints of what is done and still there.
        seen: the number of the last run, by the keys of all items that have a row.
        failures: by the keys of shards and tables that are done, how many pictures in them are bad.
        makers: by the digests of paths of outputs that are there, keys of the items that they were made from.
        settings: of the last run; None before the first. Rows with others are of what it was to overwrite.
        run: the number of this run.
        parts: names of the parts.
    """

    done: dict[bytes, bytes] = field(default_factory=dict)
    seen: dict[bytes, int] = field(default_factory=dict)
    failures: dict[bytes, int] = field(default_factory=dict)
    makers: dict[bytes, bytes] = field(default_factory=dict)
    settings: str | None = None
    run: int = 1
    parts: list[str] = field(default_factory=list)

    def has(self, item: Piece, settings: str) -> bool:
        """Whether an item needs no work."""
        return self.done.get(item.key) == fingerprint(item.size, item.version, settings)

    def is_taken(self, item: Piece) -> bool:
        """Whether the output of an item is there, made from another: it may be the last that is left of that."""
        return self.makers.get(digest(item.output), item.key) != item.key


def fingerprint(size: int, version: str, settings: str) -> bytes:
    """What an output was made from and how, in 16 bytes."""
    return digest(f"{size}\0{version}\0{settings}")


def write(store: Store, name: str, rows: Sequence[Row]) -> None:
    """Write a part, whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    safe = [{k: storable(v) if isinstance(v, str) else v for k, v in r.items()} for r in rows]
    pq.write_table(pa.Table.from_pylist(safe, schema=schema()), out, compression="zstd")
    store.write(f"{FOLDER}/{name}{SUFFIX}", out.getvalue())


def begin(store: Store) -> None:
    """Write a part without rows: a run that is interrupted before its first unit is done can go on then."""
    write(store, "begun", [])


def parts(store: Store) -> list[str]:
    """Paths of the parts, from the destination."""
    folder = Store(f"{store.url.rstrip('/')}/{FOLDER}")
    if not folder.exists():
        return []
    names = [file.name for _, files in folder.folders() for file in files]
    return [f"{FOLDER}/{name}" for name in names if name.endswith(SUFFIX)]


def table(store: Store, part: str, columns: list[str] | None = None) -> Any:
    """A part, as a table of PyArrow. CalotypeError if it is none."""
    import pyarrow.parquet as pq

    try:
        return pq.read_table(io.BytesIO(store.read(part)), columns=columns)
    except Exception as error:  # PyArrow's share no base class
        message = f"{part} in {store.url} cannot be read ({error}): delete it to have its rows anew"
        raise CalotypeError(message) from error


def read(store: Store, part: str) -> list[Row]:
    """The rows of a part. CalotypeError if it is none."""
    rows: list[Row] = table(store, part).to_pylist()
    return rows


def _tables(store: Store, names: Sequence[str], columns: list[str]) -> Iterator[tuple[str, Any]]:
    """Parts and their tables, several read at a time: a store takes its time for each."""
    with ThreadPoolExecutor(AT_A_TIME, "parts") as pool:
        for first in range(0, len(names), AHEAD):
            some = names[first : first + AHEAD]
            yield from zip(some, pool.map(partial(table, store, columns=columns), some), strict=True)


COLUMNS = ["source", "member", "group", "output", "size", "version", "bytes", "error", "settings", "run"]


def load(store: Store, there: Mapping[bytes, int]) -> Account:
    """What earlier runs have done.

    Args:
        store: the destination.
        there: sizes of the outputs that are there, by the digests of their paths.
    """
    account = Account(parts=parts(store))
    for _, found in _tables(store, account.parts, COLUMNS):
        whole, bad = _sorted(found)
        for row in whole:
            key = digest(f"{row['source']}\0{row['group']}")
            if row["run"] >= account.run:
                account.run, account.settings = row["run"] + 1, row["settings"]
            if row["run"] < account.seen.get(key, 0):
                continue
            account.seen[key] = row["run"]
            output = digest(row["output"])
            if row["error"] is None and output in there:
                account.makers[output] = key
            if row["error"] is None and there.get(output) == row["bytes"]:
                account.done[key] = fingerprint(row["size"], row["version"], row["settings"])
            else:
                account.done.pop(key, None)
        account.failures |= Counter(digest(f"{row['source']}\0{row['group']}") for row in bad)
    return account


def _sorted(found: Any) -> tuple[list[Row], list[Row]]:
    """Rows of files and of whole shards, and those of bad pictures inside shards."""
    import pyarrow.compute as pc

    inside = pc.not_equal(found["member"], "")
    return found.filter(pc.invert(inside)).to_pylist(), found.filter(
        pc.and_(inside, pc.is_valid(found["error"]))
    ).to_pylist()


def prune(store: Store, account: Account, again: Collection[bytes]) -> None:
    """Drop the rows of earlier runs for items that this run has done ``again``, so that each has one row."""
    columns = ["source", "group", "run"]
    for part, found in _tables(store, account.parts, columns) if again else ():
        if any(_stale(row, account, again) for row in found.to_pylist()):
            kept = [row for row in read(store, part) if not _stale(row, account, again)]
            if kept:
                write(store, part.removeprefix(f"{FOLDER}/").removesuffix(SUFFIX), kept)
            else:
                store.remove(part)


def _stale(row: Row, account: Account, again: Collection[bytes]) -> bool:
    return row["run"] != account.run and digest(f"{row['source']}\0{row['group']}") in again


def outputs(store: Store) -> Iterator[tuple[str, int]]:
    """Paths and sizes of the files in a destination, without the manifest."""
    if store.exists():
        for folder, files in store.folders():
            for file in files:
                yield f"{folder}/{file.name}".lstrip("/"), file.size
