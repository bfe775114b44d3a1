# SPDX-License-Identifier: BSD-3-Clause
"""One picture in memory, by any verb: the bytes of a file to those of another, on one thread."""

from __future__ import annotations

import io
import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import CalotypeError

if TYPE_CHECKING:
    from ..raster import Raster

VERBS = ("encode", "decode", "restore", "upscale")
JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Made:
    """What became of a picture."""

    data: bytes  # the whole file
    width: int
    height: int
    score: float | None = None  # SSIMULACRA 2, of a picture that is large enough for it
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """A verb and its settings.

    Attributes:
        verb: one of VERBS.
        options: arguments of the function of that name in :mod:`calotype`.
        format: Pillow's name of the format of pictures, for all verbs but ``encode``.
        score: of ``encode``: decode what was made, and compare.
    """

    verb: str
    options: dict[str, Any] = field(default_factory=dict)
    format: str = "PNG"
    score: bool = False

    @property
    def settings(self) -> str:
        """All that decides what outputs look like, as text."""
        chosen: dict[str, Any] = {"do": self.verb, **self.options}
        chosen |= {"ssimulacra2": True} if self.score else {}
        chosen |= {} if self.verb == "encode" else {"format": self.format}
        return json.dumps(chosen, sort_keys=True)

    def __call__(self, data: bytes) -> Made:
        """The same bytes as the command of that name makes. Raises what that raises."""
        if not data:
            raise CalotypeError("it is empty: no bytes at all")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", UserWarning)
            made, width, height, score = self._encoded(data) if self.verb == "encode" else self._picture(data)
        sentences = [str(warning.message) for warning in told if issubclass(warning.category, UserWarning)]
        return Made(made, width, height, score, tuple(dict.fromkeys(sentences)))

    def _encoded(self, data: bytes) -> tuple[bytes, int, int, float | None]:
        from .. import codecs, raster
        from ..api.encode import encode
        from ..api.wrap import kept_jpeg

        picture = raster.load(io.BytesIO(data))
        options = dict(self.options)
        strip, verify = options.pop("strip", False), options.pop("verify", False)
        entry = codecs.get(options["codec"])
        if entry.lossless and len(options) == 1 and data.startswith(JPEG):  # as calotype encode --lossless
            made = kept_jpeg(data, picture, strip=strip, verify=verify, threads=1)
        else:
            made = encode(picture, strip=strip, verify=verify, threads=1, **options)
        return made, picture.width, picture.height, _score(picture, made) if self.score else None

    def _picture(self, data: bytes) -> tuple[bytes, int, int, None]:
        from .. import raster

        picture = self._changed(data)
        return raster.to_file(picture, self.format, name="the output"), picture.width, picture.height, None

    def _changed(self, data: bytes) -> Raster:
        match self.verb:
            case "decode":
                from ..api.decode import decode_raster

                return decode_raster(data, threads=1)
            case "restore":
                from ..api.restore import restore_raster

                return restore_raster(data, threads=1)
            case "upscale":
                from ..api.open import open_picture
                from ..api.upscale import upscale_raster

                return upscale_raster(open_picture(io.BytesIO(data), threads=1), threads=1, **self.options)
        raise CalotypeError(f"there is no {self.verb!r} for many pictures; there are: {', '.join(VERBS)}")


def _score(picture: Raster, made: bytes) -> float | None:
    """SSIMULACRA 2; None where the picture is too small for it."""
    from ..api.decode import decode_raster
    from ..metrics.catalogue import NAMED

    return NAMED["ssimulacra2"].published(picture.samples, decode_raster(made, threads=1).samples)
