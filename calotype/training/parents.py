# SPDX-License-Identifier: BSD-3-Clause
"""What a training run began from, and so what its weights have cost in all.

A run that starts from a bundle keeps :data:`KEPT` beside its states: the bundle's hash, and the training that it tells
of. What the run exports names that hash as its ``parent``, and its ``training`` is the sum.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..atomic import write_atomically
from ..engine.bundles import DESCRIPTION, Bundle
from ..errors import CalotypeError

KEPT = "parent.json"


def bundle_in(folder: Path) -> Bundle:
    """The bundle in a folder, verified; CalotypeError if there is none, or if it is damaged."""
    try:
        found = Bundle(folder, json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
        found.verify()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalotypeError(f"{folder} is no bundle of weights: it has no {DESCRIPTION} that can be read") from error
    return found


def keep_parent(run: Path, bundle: Bundle | None) -> None:
    """Write down what a new run begins from."""
    if bundle is None:
        (run / KEPT).unlink(missing_ok=True)
        return
    facts = {"id": bundle.id, "hash": bundle.hash, "training": bundle.description.get("training", {})}
    write_atomically(run / KEPT, (json.dumps(facts, indent=2) + "\n").encode())


def parent_of(run: Path) -> dict[str, Any] | None:
    """What a run began from, or None."""
    kept = run / KEPT
    return dict(json.loads(kept.read_text(encoding="utf-8"))) if kept.is_file() else None


def provenance(stored: Mapping[str, Any], pictures: int, parent: Mapping[str, Any] | None) -> dict[str, Any]:
    """What ``model.json`` says of the training behind a state: ``training``, and ``parent`` if there is one.

    Args:
        stored: the state.
        pictures: number of those that were trained on.
        parent: what :func:`parent_of` says, or the description of a bundle.
    """
    training = {"steps": int(stored["step"]), "minutes": round(float(stored["seconds"]) / 60), "pictures": pictures}
    if parent is None:
        return {"training": training}
    before = parent.get("training", {})
    summed = {name: training[name] + int(before[name]) for name in ("steps", "minutes") if name in before}
    return {"training": {**summed, "pictures": pictures}, "parent": parent["hash"]}
