# SPDX-License-Identifier: BSD-3-Clause
"""The Pillow plug-in.

    import calotype.pillow
    calotype.pillow.register()
    image = Image.open("photo.calo")
    image.save("small.calo", quality=40)

``save`` takes ``quality``, ``codec``, ``strip`` and all else that :func:`calotype.encode` takes by name, but for
``progress``; ``icc_profile``, ``exif``, ``xmp`` and ``dpi`` replace what ``image.info`` holds (None: without).
What goes wrong is a :class:`CaloFileError`: an OSError, as programs that use Pillow expect, and a CalotypeError.
"""

from __future__ import annotations

from inspect import signature
from typing import IO, Any

from PIL import Image, ImageFile

from . import codecs, container, raster
from .errors import CalotypeError, FormatError

FORMAT = "CALO"
MIME = "image/x-calotype"

_METADATA = {  # what may be given instead of the picture's own, and types of it
    "icc_profile": bytes | bytearray,
    "exif": bytes | bytearray | Image.Exif,
    "xmp": bytes | bytearray | str,
    "dpi": tuple | list,
}


class CaloFileError(CalotypeError, OSError):
    """A ``.calo`` file cannot be read or written through Pillow; ``__cause__`` is the error of the codec half."""


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(container.SIGNATURE)


class CalotypeImageFile(ImageFile.ImageFile):
    """A ``.calo`` file that Pillow has opened: the header and the metadata, the pixels when they are asked for.

    16-bit grey is mode I;16; 16-bit RGB, and 16 bits with alpha, come as 8 bits, because Pillow has no mode for them.
    ``text`` holds what the file says in words, as of a PNG that Pillow has opened.
    With ``PIL.ImageFile.LOAD_TRUNCATED_IMAGES`` set, what is left of a damaged or truncated file is decoded.
    """

    format = FORMAT
    format_description = "Calotype image"

    def _open(self) -> None:
        assert self.fp is not None
        self._data = self.fp.read(container.HEADER_BYTES)
        if not _accept(self._data):
            raise SyntaxError("not a Calotype file")
        self._data += self.fp.read()
        try:
            front = container.read_front(self._data)  # damaged pixels are an error of load(), not of open()
        except CalotypeError as error:  # ours, but damaged or too new: no other plug-in could read it
            raise CaloFileError(str(error)) from error
        header = front.header
        self._size = header.width, header.height
        deep = header.depth == 16 and header.channels == 1 and not header.alpha
        self._mode = "I;16" if deep else ("L" if header.channels == 1 else "RGB") + ("A" if header.alpha else "")
        exif = None if front.exif is None else raster.EXIF_PREFIX + front.exif
        found = {"exif": exif, "xmp": front.xmp, **raster.colour_info(front.metadata, header.channels)}
        self.info.update({key: value for key, value in found.items() if value is not None})
        self.text = dict(front.metadata.text or ())
        self.tile = [ImageFile._Tile("calo", (0, 0, *self._size), 0, None)]

    def load(self) -> Any:
        """Decode the pixels, once. Raises CaloFileError."""
        if self.tile:
            from .api.decode import decode

            try:
                if not ImageFile.LOAD_TRUNCATED_IMAGES:
                    self._whole()
                image = decode(self._data, salvage=ImageFile.LOAD_TRUNCATED_IMAGES)
            except CalotypeError as error:
                raise CaloFileError(str(error)) from error
            self._mode = image.mode  # differs if alpha was lost from a damaged file
            self.im = image.im
            self.tile = []
            self._data = b""
            if self.fp is not None and self._exclusive_fp:
                self.fp.close()
            self.fp = None
        return super().load()

    def load_seek(self, position: int) -> None:
        """Never called: that there is one tells Pillow's incremental parser to wait for the whole file."""

    def verify(self) -> None:
        """Check the file without decoding it. Raises CaloFileError."""
        try:
            self._whole()
        except CalotypeError as error:
            raise CaloFileError(str(error)) from error
        super().verify()

    def _whole(self) -> None:
        """FormatError unless the file is whole: a progressive one that just stops decodes, but Pillow's users ask."""
        content = container.unpack(self._data)
        if content.truncated:
            raise FormatError(
                f"image file is truncated: it ends at byte {len(self._data)}; "
                "with PIL.ImageFile.LOAD_TRUNCATED_IMAGES set, what is there is loaded"
            )


def _save(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    from .api.encode import encode

    given: dict[str, Any] = im.encoderinfo
    overrides = {key: given[key] for key in _METADATA if key in given}
    chosen = codecs.find(given.get("codec", codecs.DEFAULT))
    entries = [*codecs.own(), *([chosen] if chosen else [])]
    named = {name for name, p in signature(encode).parameters.items() if p.kind is p.KEYWORD_ONLY}
    known = named - {"strip", "progress"} | {option.name for entry in entries for option in entry.takes}
    options = {key: value for key, value in given.items() if key in known and value is not None}
    for key, value in overrides.items():
        if not isinstance(value, _METADATA[key] | None):
            wanted = "two numbers" if key == "dpi" else "bytes"
            raise CaloFileError(f"{key} must be {wanted}, not {type(value).__name__}")
    strip = bool(given.get("strip", False))
    if isinstance(options.get("quality"), str):
        raise CaloFileError(f"quality must be a number from 1 to 100, not {options['quality']!r}")
    try:
        picture = raster.from_image(im, strip=strip, overrides=overrides)
        data = encode(picture, strip=strip, **options)
    except CalotypeError as error:
        raise CaloFileError(str(error)) from error
    raster.write_whole(fp, data)


def _save_all(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """``save(save_all=True)``, for which there is one answer: a file holds one picture."""
    count = int(getattr(im, "n_frames", 1)) + len(list(im.encoderinfo.get("append_images") or ()))
    if count > 1:
        raise CaloFileError(
            f"a .calo file holds one picture, and save_all asks for {count}: save each frame in a file of its own"
        )
    _save(im, fp, filename)


def register() -> None:
    """Make ``Image.open`` and ``Image.save`` know ``.calo`` files. Calling it again changes nothing."""
    Image.register_open(FORMAT, CalotypeImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_save_all(FORMAT, _save_all)
    Image.register_extension(FORMAT, container.EXTENSION)
    Image.register_mime(FORMAT, MIME)
