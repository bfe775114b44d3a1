# SPDX-License-Identifier: BSD-3-Clause
"""``calotype --version --verbose``: what a report of a fault should say of the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from ..version import __version__

LIBRARIES = ("numpy", "onnxruntime", "pillow", "constriction", "typer", "rich", "torch", "onnx", "imagecodecs")
WITHOUT = {"constriction": "constriction missing: entropy coding in Python"}
PICTURES = {"jpg": "JPEG", "jpg_2000": "JPEG 2000", "webp": "WebP", "avif": "AVIF", "littlecms2": "LittleCMS"}


def about() -> str:
    """Lines of ``name: value``."""
    from ..container import VERSION
    from ..engine import bundles, processor

    found = processor.extensions()
    instructions = "unknown" if found is None else " ".join(name for name, there in found.items() if there) or "none"
    facts = {
        "calotype": f"{__version__}, file format {VERSION}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "processor": f"{processor.model() or platform.machine()}, {os.cpu_count()} cores",
        "instructions": instructions,
        "libraries": ", ".join(filter(None, map(_library, LIBRARIES))),
        "pictures": _picture_libraries(),
        "weights": ", ".join(f"{bundle.id} {bundle.hash[:8]}" for bundle in bundles.installed()) or "none",
        bundles.ENVIRONMENT: os.environ.get(bundles.ENVIRONMENT) or "not set",
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items())


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return WITHOUT.get(name, "")


def _picture_libraries() -> str:
    from PIL import features

    found = {title: features.version(name) if features.check(name) else None for name, title in PICTURES.items()}
    return ", ".join(f"{title} {number or 'missing'}" for title, number in found.items())
