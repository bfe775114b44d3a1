# SPDX-License-Identifier: BSD-3-Clause
"""``.calo`` files in data sets: for the loaders that PyTorch and Hugging Face users have already.

>>> import webdataset, datasets                                                             # doctest: +SKIP
>>> shards = webdataset.WebDataset("small/{000..099}.tar").decode(calotype.data.handler)    # doctest: +SKIP
>>> rows = datasets.load_dataset("parquet", data_files="small/*.parquet", split="train")    # doctest: +SKIP
>>> rows = calotype.data.undecoded(rows).with_transform(calotype.data.Decoding("image"))   # doctest: +SKIP

All of them give NumPy arrays, which ``torch.from_numpy`` takes without a copy; none imports PyTorch. They use one
thread, for a loader has many processes, and leave nothing open that a fork would miss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .arrays import Samples
from .container import EXTENSION
from .errors import PictureError


def array(file: Any, max_pixels: int | None = None) -> Samples:
    """The picture of a ``.calo`` file: ``(H, W)`` or ``(H, W, 2..4)``, uint8 or uint16.

    Args:
        file: its bytes, its path, or the ``{"bytes": ..., "path": ...}`` of Hugging Face.
        max_pixels: refuse larger pictures.

    Raises:
        CalotypeError: as :func:`calotype.decode`.
    """
    from .api.decode import decode

    if isinstance(file, Mapping):
        file = file.get("path") if file.get("bytes") is None else file["bytes"]
    if isinstance(file, str | Path):
        try:
            file = Path(file).read_bytes()
        except OSError as error:
            raise PictureError(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from error
    if file is None:
        raise PictureError("the cell is empty: there is no picture")
    samples: Samples = decode(file, threads=1, max_pixels=max_pixels, as_array=True)
    return samples


def handler(key: str, data: bytes) -> Samples | None:
    """A handler for ``webdataset.WebDataset(...).decode(handler)``: arrays for members that end in ``.calo``.

    Args:
        key: the extension of the member, all that follows the first dot of its name.
        data: its bytes.
    """
    return array(data) if f".{key.lower()}".endswith(EXTENSION) else None


class Decoding:
    """A transform for ``datasets.Dataset.with_transform``: a column of files becomes one of arrays.

    Args:
        column: its name.
        then: called with each array: a crop, ``torch.from_numpy``.
        max_pixels: refuse larger pictures.
    """

    def __init__(
        self, column: str = "image", then: Callable[[Samples], Any] | None = None, max_pixels: int | None = None
    ) -> None:
        self.column, self.then, self.max_pixels = column, then, max_pixels

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The batch with its pictures decoded; null stays null, as ``calotype batch`` leaves it for a bad picture."""
        arrays = [None if cell is None else array(cell, self.max_pixels) for cell in batch[self.column]]
        made = [cell if cell is None or self.then is None else self.then(cell) for cell in arrays]
        return batch | {self.column: made}


def undecoded(rows: Any) -> Any:
    """A data set of Hugging Face whose columns of images give files, so that the library does not open them itself.

    Of a dictionary of splits, ``DatasetDict``, each split. The columns of a stream need not be known: it opens nothing.
    """
    from datasets import Image

    if isinstance(rows, dict):
        return type(rows)({name: undecoded(split) for name, split in rows.items()})
    for name, feature in (rows.features or {}).items():
        if isinstance(feature, Image):
            rows = rows.cast_column(name, Image(decode=False))
    return rows
