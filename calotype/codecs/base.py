# SPDX-License-Identifier: BSD-3-Clause
"""A codec: what it declares before anything is loaded (:class:`Entry`), and what it does then (:class:`Codec`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..engine.once import once
from .options import NoOptions, Option, listed, validated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..arrays import Progress
    from ..container import Header
    from ..container.header import WeightsId
    from ..engine.bundles import Bundle
    from ..engine.tiling import Rectangle


ENGINES = ("openvino",)  # besides the usual one


class Codec(Protocol):
    """Interface of every codec once its weights are loaded. Samples are ``(H, W, 1 or 3)``, uint8 or uint16."""

    @property
    def bundle(self) -> WeightsId:
        """Its weights; :class:`NoWeights` if it needs none."""
        ...

    @property
    def tile(self) -> int:
        """Side of the tiles that it encodes, in pixels."""
        ...

    @property
    def layers(self) -> int:
        """The most layers that its files have, one behind the other in their boxes; 0 if they are not layered."""
        ...

    def with_options(self, options: Any) -> Codec:
        """This codec, encoding as told; what it has loaded is shared.

        Args:
            options: of the class that its :class:`Entry` declares, validated.

        Raises:
            PictureError: a value that these weights do not allow.
            BundleError: the weights that an option asks for are not installed.
            DependencyError: a package that an option needs is not installed.
        """
        ...

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        ...

    def encode(self, samples: Any, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Tile payloads in raster order; layer by layer, as many as needed, if files are layered."""
        ...

    def latents(self, samples: Any) -> Any:
        """The part of encoding that does not depend on the quality, for coding at several."""
        ...

    def encode_latents(self, latents: Any, stored_quality: int) -> list[bytes]:
        """:meth:`encode` from there."""
        ...

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Progress | None = None, salvage: bool = False,
    ) -> Any:  # fmt: skip
        """Samples of a picture or of a region of it; FormatError if they do not come out whole."""
        ...


@runtime_checkable
class Growing(Protocol):
    """Further interface of a codec of layered files."""

    def growing(
        self, shape: tuple[int, int, int], depth: int, stored_quality: int
    ) -> Callable[[Sequence[bytes | None]], Any]:
        """For a picture that arrives: payloads that are there -> samples; each call takes only what is new to it."""
        ...


@runtime_checkable
class Accelerated(Protocol):
    """Further interface of a codec that can decode with another engine than ONNX Runtime."""

    def with_engine(self, engine: str) -> Codec:
        """This codec with another engine, one of :data:`ENGINES`; DependencyError where there is none."""
        ...


@runtime_checkable
class SeveralIds(Protocol):
    """Further interface of a codec whose files have one of several ids, so that older readers refuse what is new."""

    def file_id(self, payloads: Sequence[bytes]) -> str:
        """The id of a file with these tiles, its own or one of :attr:`Entry.also`."""
        ...


@dataclass(frozen=True)
class NoWeights:
    """Stands for the weights of a codec that needs none: its files name the tag of zeros."""

    codec: str
    tag: bytes = bytes(4)


@dataclass(frozen=True)
class Entry:
    """A codec, declared: all that is known of it before its weights are loaded.

    Attributes:
        id: in the header of its files, 1 to 16 of ``a-z``, ``0-9`` and ``-``.
        title: what it is good for, in a line.
        paper: where it comes from.
        implementation: ``package.module:Class`` of the :class:`Codec`, called with a bundle and a number of threads.
        options: a frozen dataclass, see :mod:`calotype.codecs.options`.
        prefer: id of the bundle to encode with, where there are several; or ids, the best first.
        weights: folder of its bundles; None for those of this package.
        weightless: it has no bundles; its class is called with :class:`NoWeights`.
        lossless: every sample comes back; there is no quality, and 0 is stored for it.
        also: further ids that its files can have; see :class:`SeveralIds`.
    """

    id: str
    title: str
    paper: str
    implementation: str
    options: type = NoOptions
    prefer: str | tuple[str, ...] | None = None
    weights: Path | None = None
    weightless: bool = False
    lossless: bool = False
    also: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[Option, ...]:
        """Its options."""
        return listed(self.options)

    def validated(self, given: Mapping[str, object]) -> Any:
        """Options as :meth:`Codec.with_options` takes them; PictureError for one that it does not have or take."""
        return validated(self.id, self.options, given)

    def bundles(self) -> list[Bundle]:
        """Its weights at hand."""
        from ..engine import bundles

        if self.weightless:
            return []
        return [bundle for bundle in bundles.installed(self.weights) if bundle.codec == self.id]

    def open(self, threads: int, tag: bytes | None = None, prefer: str | None = None) -> Codec:
        """The codec with its preferred weights, or others; BundleError if there are none.

        Args:
            threads: of the computation.
            tag: of the weights that a file names.
            prefer: id of the weights to take instead of the codec's usual ones, if they are there.
        """
        from ..engine import bundles

        if self.weightless:
            return _opened(self, NoWeights(self.id), threads)
        return _opened(self, bundles.find(self.id, tag, prefer=prefer or self.prefer, own=self.weights), threads)


@once(maxsize=8)
def _opened(entry: Entry, bundle: Bundle | NoWeights, threads: int) -> Codec:
    from importlib import import_module

    module, _, name = entry.implementation.partition(":")
    made: Codec = getattr(import_module(module), name)(bundle, threads)
    return made
