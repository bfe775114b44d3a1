# SPDX-License-Identifier: BSD-3-Clause
"""Parquet: a column of pictures in, the same table with ``.calo`` files in that column out.

The column holds files as bytes, or, as the library ``datasets`` writes them, structs of ``bytes`` and ``path``. A bad
picture becomes null, and has a row with its error. All other columns, the order of rows and the schema stay.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from ..errors import CalotypeError
from .attempts import Attempts
from .listing import Piece
from .store import Store


def convert(
    source: Store, destination: Store, item: Piece, attempts: Attempts, column: str | None, suffix: str
) -> None:
    """Make a table of one row group; if that cannot be read, its row says why."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with source.open(item.source) as file:
            table = pq.ParquetFile(file).read_row_group(item.group)
    except (pa.ArrowException, OSError) as error:
        attempts.make(item, CalotypeError(f"its rows cannot be read: {error}"))
        return
    try:
        index = _column(table.schema, column)
    except CalotypeError as error:
        attempts.make(item, error)
        return
    name, kind = table.schema.names[index], table.schema.field(index).type
    cells = [_made(cell.as_py(), number, item, attempts, suffix) for number, cell in enumerate(table.column(index))]
    field = table.schema.field(index).with_nullable(True)
    table = table.set_column(index, field, pa.array(cells, kind)).replace_schema_metadata(table.schema.metadata)
    with destination.writing(item.output) as out:
        pq.write_table(table, out, compression={n: "none" if n == name else "zstd" for n in table.schema.names})
        size = out.seek(0, 2)
    attempts.add(item, bytes=size)


def _column(schema: Any, wanted: str | None) -> int:
    """Number of the column with pictures."""
    import pyarrow.types as types

    def holds(kind: Any) -> bool:
        if types.is_struct(kind):
            return bool(kind.get_field_index("bytes") >= 0 and holds(kind.field("bytes").type))
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    fitting = [number for number, field in enumerate(schema) if holds(field.type) and wanted in (None, field.name)]
    if not fitting:
        which = f"no column {wanted!r} that holds files" if wanted else "no column that holds files"
        raise CalotypeError(f"it has {which}; it has: {', '.join(schema.names)}")
    return fitting[0]


def _made(cell: Any, number: int, item: Piece, attempts: Attempts, suffix: str) -> Any:
    """A cell with its picture made anew; null for null, and for a bad picture."""
    if cell is None:
        return None
    data = cell["bytes"] if isinstance(cell, dict) else cell
    problem = CalotypeError("the cell names a path and holds no bytes")
    made = attempts.make(item, problem if data is None else data, str(number), f"{item.output}/{number}")
    if made is None or not isinstance(cell, dict):
        return made
    path = cell.get("path")
    return cell | {"bytes": made} | ({"path": str(PurePosixPath(path).with_suffix(suffix))} if path else {})
