# SPDX-License-Identifier: BSD-3-Clause
"""The codecs: one file each, in a plain dict by id.

A codec says what it is without loading anything; :meth:`Entry.open` brings in its weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..arrays import Progress
    from ..container import Header
    from ..engine.bundles import Bundle
    from ..engine.tiling import Rectangle


class Codec(Protocol):
    """What every codec does once its weights are loaded. Samples are ``(H, W, 1 or 3)``, uint8 or uint16."""

    bundle: Bundle
    tile: int

    @property
    def layers(self) -> int:
        """The most layers that its files have, one behind the other in their boxes; 0 if they are not layered."""
        ...

    def with_options(self, **options: Any) -> Codec:
        """This codec, encoding as told; PictureError for an option that it does not have, or a value it refuses."""
        ...

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        ...

    def encode(self, samples: Any, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Tile payloads in raster order; layer by layer, as many as needed, if files are layered."""
        ...

    def latents(self, samples: Any) -> Any:
        """What does not depend on the quality, for coding at several of them."""
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
    """What a codec of layered files has besides."""

    def growing(self, shape: tuple[int, int, int], depth: int) -> Callable[[Sequence[bytes | None]], Any]:
        """For a picture that arrives: payloads that are there -> samples; each call takes only what is new to it."""
        ...


@dataclass(frozen=True)
class Entry:
    """What is known of a codec before its weights are loaded."""

    id: str
    title: str
    paper: str
    make: Callable[[Bundle, int], Codec]
    prefer: str | None = None  # id of the bundle to encode with, where there are several

    def open(self, threads: int, tag: bytes | None = None, prefer: str | None = None) -> Codec:
        """The codec with its preferred weights, or others; BundleError if there are none.

        Args:
            threads: of the computation.
            tag: of the weights that a file names.
            prefer: id of the weights to take instead of the codec's usual ones, if they are there.
        """
        from ..engine import bundles

        bundle = bundles.find(self.id, tag, prefer=prefer or self.prefer)
        return _opened(self.id, bundle.path, bundle.hash, threads)


def _make_talbot(bundle: Bundle, threads: int) -> Codec:
    from .talbot.codec import Talbot

    return Talbot(bundle, threads)


def _make_ledig2017(bundle: Bundle, threads: int) -> Codec:
    from .ledig2017.codec import Ledig2017

    return Ledig2017(bundle, threads)


def _make_tao2017(bundle: Bundle, threads: int) -> Codec:
    from .tao2017.codec import Tao2017

    return Tao2017(bundle, threads)


def _make_toderici2017(bundle: Bundle, threads: int) -> Codec:
    from .toderici2017.codec import Toderici2017

    return Toderici2017(bundle, threads)


@lru_cache(maxsize=8)
def _opened(codec: str, path: object, digest: str, threads: int) -> Codec:
    from ..engine import bundles

    bundle = next(b for b in bundles.installed() if b.path == path and b.hash == digest)
    return REGISTRY[codec].make(bundle, threads)


REGISTRY: dict[str, Entry] = {
    "talbot": Entry(
        "talbot",
        "the flagship: photographs in real time on a plain CPU, any quality from one model",
        "transform codec with a hierarchical prior (Ballé 2018, Minnen 2018)",
        _make_talbot,
        prefer="talbot-ms-ssim",
    ),
    "ledig2017": Entry(
        "ledig2017",
        "the lowest rates: stores a smaller picture with talbot, and enlarges it by super-resolution",
        "SRResNet and SRGAN (Ledig 2017)",
        _make_ledig2017,
        prefer="srresnet-x2",
    ),
    "tao2017": Entry(
        "tao2017",
        "a JPEG, JPEG 2000, WebP or AVIF inside, which any program opens, and networks that restore it",
        "end-to-end compression framework (Tao 2017)",
        _make_tao2017,
    ),
    "toderici2017": Entry(
        "toderici2017",
        "progressive: a file that can be cut anywhere and still opens, better with every further byte",
        "recurrent networks, full resolution (Toderici 2017)",
        _make_toderici2017,
    ),
}
DEFAULT = "talbot"


def refuse(codec: str, options: Any) -> None:
    """PictureError if there are any ``options``: for a codec that has none."""
    if options:
        raise PictureError(f"codec '{codec}' has no option {', '.join(options)}")


def available() -> list[Entry]:
    """All codecs, the default first."""
    return list(REGISTRY.values())


def get(codec: str) -> Entry:
    """The codec of that id; PictureError if there is none."""
    if not isinstance(codec, str) or codec not in REGISTRY:
        raise PictureError(f"there is no codec '{codec}'; there are: {', '.join(REGISTRY)}")
    return REGISTRY[codec]
