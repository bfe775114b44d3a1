# SPDX-License-Identifier: BSD-3-Clause
"""``calotype --version --verbose``: what a report of a fault should say of the machine."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version

from ..version import __version__

LIBRARIES = ("numpy", "onnxruntime", "pillow", "constriction", "typer", "rich", "torch", "onnx", "imagecodecs")
PICTURES = {"jpg": "JPEG", "jpg_2000": "JPEG 2000", "webp": "WebP", "avif": "AVIF", "littlecms2": "LittleCMS"}


def about() -> str:
    """Lines of ``name: value``."""
    from ..container import VERSION
    from ..engine import bundles

    facts = {
        "calotype": f"{__version__}, file format {VERSION}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "instructions": _instructions(),
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
        return ""


def _processor() -> str:
    """Its name, as far as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            if found := re.search(r"^model name\s*:\s*(.+)$", stream.read(), re.M):
                return found[1]
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _instructions() -> str:
    """The extensions of the instruction set that NumPy finds."""
    from importlib import import_module

    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):  # NumPy 2, NumPy 1
        try:
            features: dict[str, bool] = import_module(name).__cpu_features__
        except (ImportError, AttributeError):
            continue
        return " ".join(feature for feature, there in features.items() if there) or "none"
    return "unknown"


def _picture_libraries() -> str:
    from PIL import features

    found = {title: features.version(name) if features.check(name) else None for name, title in PICTURES.items()}
    return ", ".join(f"{title} {number or 'missing'}" for title, number in found.items())
