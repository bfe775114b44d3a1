# SPDX-License-Identifier: BSD-3-Clause
"""A bundle of weights appears whole, and never in place of anything else."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..atomic import TEMPORARY_PREFIX
from ..engine.bundles import DESCRIPTION, bundle_hash
from ..errors import CalotypeError


def check_replaceable(folder: Path) -> None:
    """CalotypeError if ``folder`` holds, or is, anything but a bundle."""
    if not folder.is_dir():
        if folder.exists():
            raise CalotypeError(f"{folder} is a file; a bundle is a folder")
        return
    names = sorted(file.name for file in folder.iterdir())
    if names and DESCRIPTION not in names:
        raise CalotypeError(f"{folder} is not empty and no bundle (it has no {DESCRIPTION}); name a new folder")
    foreign = [name for name in names if name != DESCRIPTION and not name.endswith((".onnx", ".npz"))]
    if foreign:
        raise CalotypeError(f"{folder / foreign[0]} is no part of a bundle and would be lost; name a new folder")


@contextmanager
def replacement(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of the bundle ``folder`` when the block ends without an exception.

    Raises:
        CalotypeError: ``folder`` is neither missing nor empty nor a bundle.
    """
    target = Path(os.path.realpath(folder))
    check_replaceable(target)
    made = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.new")
    old = made.with_suffix(".old")
    made.mkdir(parents=True)
    try:
        yield made
        check_replaceable(target)  # it took a while
        if target.exists():
            target.rename(old)
        try:
            made.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def describe(made: Path, facts: Mapping[str, Any], configuration: Mapping[str, Any]) -> str:
    """Write ``model.json`` for the files that are in ``made``, which with it are a bundle; returns its hash.

    Args:
        made: a folder as :func:`replacement` gives it.
        facts: id, title, paper, training, licence.
        configuration: of the networks, and what else their decoder must know.
    """
    files = sorted({file.name for file in made.iterdir()} - {DESCRIPTION})
    digest = bundle_hash(made, files)
    description = {**facts, "files": files, "hash": digest, "configuration": {**configuration}}
    (made / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return digest
