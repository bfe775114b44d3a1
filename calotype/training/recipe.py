# SPDX-License-Identifier: BSD-3-Clause
"""Recipes: TOML files whose tables are the configuration dataclasses of network, loop and crops."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ..errors import CalotypeError

T = TypeVar("T")
FOLDER = Path(__file__).parent / "recipes"
KEPT = "recipe.toml"  # the copy in the folder of a run


def recipe_of(run: Path) -> str | Path:
    """The recipe that a training run keeps beside its states; ``talbot`` for a run of old, which kept none."""
    kept = run / KEPT
    return kept if kept.is_file() else "talbot"


def recipe_path(name: str | Path) -> Path:
    """Path of a recipe: one that ships (by its id) or a TOML file of your own (by its path)."""
    return Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"


def load_recipe(name: str | Path) -> dict[str, Any]:
    """The tables of a recipe, named as for :func:`recipe_path`."""
    path = recipe_path(name)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise CalotypeError(f"there is no recipe {name}; there are: {known}, or name a .toml file") from error
    except tomllib.TOMLDecodeError as error:
        raise CalotypeError(f"{path} is not TOML: {error}") from error


def configure(kind: type[T], table: Mapping[str, Any], **overrides: Any) -> T:
    """A configuration dataclass from a recipe's table; None in ``overrides`` leaves a value as it is.

    Raises CalotypeError for settings that it does not have, and for values that they cannot have.
    """
    if not isinstance(table, Mapping):
        raise CalotypeError(f"the settings of {kind.__name__} should be a table, not {table!r}")
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = set(table) - known
    if unknown:
        raise CalotypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}; it has: {', '.join(sorted(known))}")
    values = {**table, **{k: v for k, v in overrides.items() if v is not None}}
    for key, value in values.items():
        wanted = get_origin(hints[key]) or hints[key]
        if get_origin(hints[key]) is Literal:
            if value not in get_args(hints[key]):
                choices = ", ".join(map(str, get_args(hints[key])))
                raise CalotypeError(f"{kind.__name__}.{key} should be one of {choices}, not {value!r}")
        elif wanted is tuple and isinstance(value, list):
            values[key] = tuple(value)
        elif wanted is float and type(value) is int:
            values[key] = float(value)
        elif not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)) or value != value:  # NaN
            raise CalotypeError(f"{kind.__name__}.{key} should be {wanted.__name__}, not {value!r}")
    return kind(**values)
