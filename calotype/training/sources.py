# SPDX-License-Identifier: BSD-3-Clause
"""Sources of training pictures: what ``--data`` can name.

::

    photos/                 a folder of pictures, with all its folders
    photos.parquet          a Parquet file with a column of pictures, or a folder of such files
    hf:NAME, hf:NAME:SPLIT  a data set of Hugging Face, or a local folder that its library reads; split train
    cifar-10-batches-py/    the files of CIFAR-10 or STL-10 (stl10_binary/) as they are given out, or a folder above
    cifar10, stl10, oxford-pets

What exists on disk goes first, so that a folder named ``cifar10`` is a folder. Parquet files and names need the
package ``datasets``; it streams, so that only what is decoded is fetched, and the cache is what remains.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CalotypeError, DependencyError, PictureError
from .binaries import find_binaries, pictures_in
from .data import PictureCache, find_pictures, load_rgb, skip

NAMED = {
    "cifar10": "uoft-cs/cifar10",  # 50,000 of 32 x 32
    "stl10": "tanganke/stl10",  # 5,000 of 96 x 96
    "oxford-pets": "timm/oxford-iiit-pet",  # 3,680 photographs of about 500 x 400
}
MEGAPIXELS = 1000.0  # decoded at most by default: 3 GB
PREFIX = "hf:"
Picture = npt.NDArray[np.uint8]


def open_pictures(data: str, cache: Path, megapixels: float = MEGAPIXELS) -> PictureCache:
    """The pictures that ``data`` names (see the module), decoded once into ``cache``.

    Args:
        data: as ``--data``.
        cache: folder of decoded pictures.
        megapixels: where pictures come as a stream, the first so many are taken.

    Raises:
        CalotypeError: there are no pictures, or they cannot be had.
        DependencyError: ``datasets`` is needed, and not installed.
    """
    path = Path(data)
    tables = [path] if path.suffix == ".parquet" and path.is_file() else sorted(path.rglob("*.parquet"))
    if tables and not _has_pictures(path):
        facts = [f"{table.resolve()} {table.stat().st_size} {table.stat().st_mtime_ns}" for table in tables]
        options: dict[str, Any] = {"path": "parquet", "data_files": [str(table) for table in tables], "split": "train"}
        return _cached("\n".join(facts), data, lambda: stream(data, options), cache, megapixels)
    binaries = find_binaries(path)
    if binaries and not _has_pictures(path):
        facts = [f"{file.resolve()} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in binaries]
        return _cached("\n".join(facts), data, lambda: chain(*map(pictures_in, binaries)), cache, megapixels)
    if path.exists() or not (data.startswith(PREFIX) or data in NAMED):
        return PictureCache(path, cache)
    name, split = _parsed(data)
    local = f" {Path(name).resolve()}" if Path(name).exists() else ""
    found = {"path": name, "split": split}
    return _cached(f"{PREFIX}{name}:{split}{local}", data, lambda: stream(data, found), cache, megapixels)


def _has_pictures(folder: Path) -> bool:
    try:
        return bool(folder.is_dir() and find_pictures(folder))
    except CalotypeError:
        return False


def _parsed(data: str) -> tuple[str, str]:
    """Name and split."""
    found = re.fullmatch(r"(.+?)(?::([\w.-]+))?", NAMED.get(data, data.removeprefix(PREFIX)))
    if not found:
        raise CalotypeError("--data hf: should name a data set: hf:NAME or hf:NAME:SPLIT")
    return found[1], found[2] or "train"


def _cached(
    identity: str, data: str, source: Callable[[], Iterator[Picture]], cache: Path, megapixels: float
) -> PictureCache:
    def pictures() -> Iterator[Picture]:
        left = megapixels * 1e6
        for picture in source():
            yield picture
            left -= picture.shape[0] * picture.shape[1]
            if left <= 0:
                return

    none = f"{data} holds no pictures that can be read"
    return PictureCache.of(f"{identity}\n{megapixels:g} megapixels", pictures, cache, none)


def stream(data: str, options: Mapping[str, Any]) -> Iterator[Picture]:
    """The pictures ``(H, W, 3)`` of a data set; broken ones are named on standard error and left out.

    Args:
        data: how the user calls it.
        options: of ``datasets.load_dataset``.

    Raises:
        CalotypeError: it cannot be read or fetched, or has no column of pictures.
    """
    try:
        import datasets
    except ImportError as error:
        raise DependencyError(f"reading {data} needs the package datasets: pip install 'calotype[datasets]'") from error
    try:
        rows = datasets.load_dataset(**options, streaming=True)
        for name, feature in (rows.features or {}).items():
            if isinstance(feature, datasets.Image):
                rows = rows.cast_column(name, datasets.Image(decode=False))  # we decode, with our limits
        column = ""
        for number, row in enumerate(rows):
            column = column or _picture_column(row, data)
            try:
                yield load_rgb(_opened(row[column]), f"picture {number + 1} of {data}")
            except PictureError as error:
                skip(error)
    except (CalotypeError, GeneratorExit):
        raise
    except Exception as error:  # those of the library, of what reads its files, and of the network share no base class
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CalotypeError(_advice(data, options, f"{type(error).__name__}: {reason}")) from error


def _advice(data: str, options: Mapping[str, Any], reason: str) -> str:
    if options["path"] == "parquet" or Path(options["path"]).exists():
        return f"cannot read {data}: {reason}"
    return (
        f"cannot fetch {data} ({reason}); check the name, the split and the network, or bring its pictures or Parquet "
        f"files here some other way and name their folder: --data FOLDER"
    )


def _picture_column(row: Mapping[str, Any], data: str) -> str:
    """The first column that holds files of pictures: bytes, or the bytes or path that ``datasets`` keeps."""
    for name, value in row.items():
        if isinstance(value, bytes) or (isinstance(value, dict) and {"bytes", "path"} & value.keys()):
            return name
    raise CalotypeError(f"{data} has no column of pictures; it has: {', '.join(row)}")


def _opened(value: Any) -> io.BytesIO:
    """The file of a picture, in memory."""
    if isinstance(value, bytes):
        return io.BytesIO(value)
    if isinstance(value, dict) and value.get("bytes"):
        return io.BytesIO(value["bytes"])
    if not isinstance(value, dict) or not value.get("path"):
        return io.BytesIO()  # an empty cell: no picture, which the caller says
    import fsspec  # datasets brings it along; a path can lead into an archive or on to a server

    with fsspec.open(value["path"], "rb") as file:
        return io.BytesIO(file.read())
