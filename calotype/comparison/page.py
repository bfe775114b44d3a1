# SPDX-License-Identifier: BSD-3-Clause
"""A web page, in one file and without any network, with a slider over the original and the others.

The pictures are in it as PNG, without loss, in 8 bits and sRGB, transparency on medium grey: as people see them.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from .. import raster
from ..errors import PictureError
from ..metrics.catalogue import PSNR
from ..raster.bands import to_8
from .alike import on_grey, profiled
from .outcome import Outcome, Picture, best
from .table import COLUMN, Column, cells

TEMPLATE = "page.html"
PLACE = "@DATA@"


def page(original: Picture, outcomes: Sequence[Outcome], columns: Sequence[Column]) -> str:
    """The page as HTML; ``columns`` are those of the table below the pictures."""
    marked = {column.key: best(outcomes, column.key) for column in columns}
    pictures: list[dict[str, Any]] = [
        {
            "name": f"{original.name} (original)",
            "figures": _figures(original),
            "src": source(original.raster),
            "cells": cells(original, columns),
            "best": [],
        }
    ]
    for index, outcome in enumerate(outcomes):
        pictures.append(
            {
                "name": outcome.picture.name,
                "figures": figures(outcome),
                "src": source(outcome.picture.raster),
                "cells": cells(outcome, columns),
                "best": [place for place, column in enumerate(columns, 1) if index in marked[column.key]],
            }
        )
    data = {
        "title": f"{original.name} compared",
        "width": original.raster.width,
        "height": original.raster.height,
        "columns": ["file", *(f"{column.title}\n{column.unit}" for column in columns)],
        "pictures": pictures,
        "notes": [f"{outcome.picture.name}: {note}." for outcome in outcomes for note in outcome.notes],
    }
    template = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    # A file name may hold "</script>": within JSON no "<" is needed.
    return template.replace(PLACE, json.dumps(data).replace("<", "\\u003c"))


def source(picture: raster.Raster) -> str:
    """The picture as a data URL."""
    try:
        picture = raster.from_picture(profiled(picture), strip=True)
    except PictureError:  # 16 bits with a colour profile: shown as if it were sRGB
        picture = raster.Raster(picture.samples, picture.alpha)
    picture = on_grey(picture)
    file = io.BytesIO()
    raster.to_image(raster.Raster(to_8(picture.samples))).save(file, "PNG", compress_level=4)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def figures(outcome: Outcome) -> str:
    """The main figures, in a line: size, rate, and PSNR or else the first metric that was measured."""
    values = outcome.measurement.values
    key = PSNR.key if PSNR.key in values else next(iter(values), None)
    if key is None:
        return _figures(outcome.picture)
    column = COLUMN[key]
    return f"{_figures(outcome.picture)}, {column.title} {column.format(values[key])} {column.unit}".rstrip()


def _figures(picture: Picture) -> str:
    return f"{picture.size:,} bytes, {picture.bpp:.3f} bpp"
