# SPDX-License-Identifier: BSD-3-Clause
"""Options of codecs, each declared once: as a field of a frozen dataclass, made by :func:`option`.

    @dataclass(frozen=True)
    class Options:
        effort: int = option(3, "How hard to try.", low=1, high=9)
        tune: str | None = option(None, "What to be good at.", choices=("psnr", "ssim"), shown="psnr")

:func:`listed` reads the declaration, :func:`validated` makes an ``Options`` of what a caller passes. The API, the
command line, Pillow's keywords and the tables of the documentation all come from there. Imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from ..arguments import number, whole
from ..errors import PictureError

Value: TypeAlias = "int | float | str"
KEY = "calotype"  # of the metadata of a field


@dataclass(frozen=True)
class Option:
    """Description of an option: its values and its purpose.

    Attributes:
        name: of the field, and of the argument of :func:`calotype.encode`.
        type: ``int``, ``float`` or ``str``.
        default: of the field; None if the codec finds it out.
        shown: the default, or what the codec will find out, for people.
        help: a sentence.
        choices: what it may be; anything if there are none.
        low: the least that it may be.
        high: the most.
        pattern: what else than ``choices`` it may be, as a regular expression.
    """

    name: str
    type: type
    default: Value | None
    shown: str
    help: str
    choices: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str | None = None

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def values(self) -> str:
        """Its values in words: ``1 to 9``, ``jpeg, webp or avif``."""
        if self.choices:
            *others, last = [str(choice) for choice in self.choices]
            listing = f"{', '.join(others)} or {last}" if others else last
            return f"a name such as {listing}" if self.pattern else listing
        kind = {int: "a whole number", float: "a number", str: "a text"}[self.type]
        if self.low is not None and self.high is not None:
            return f"{kind} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{kind} from {self.low:g} on"
        return kind if self.high is None else f"{kind} up to {self.high:g}"

    @property
    def record(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "name": self.name, "type": self.type.__name__, "help": self.help, "choices": list(self.choices),
            "default": self.shown if self.default is None else self.default, "low": self.low, "high": self.high,
        }  # fmt: skip

    def check(self, value: object, codec: str) -> Value:
        """The value as a number or text of Python; PictureError unless ``codec`` takes it."""
        found: Value | None
        if self.type is str:
            found = value if isinstance(value, str) else None
        else:
            found = whole(value) if self.type is int else number(value)
        if found is not None and self._takes(found):
            return found
        raise PictureError(f"{self.name} of codec '{codec}' should be {self.values}, not {value!r}")

    def _takes(self, value: Value) -> bool:
        if isinstance(value, str):
            if not self.choices:
                return True
            return value in self.choices or bool(self.pattern and re.fullmatch(self.pattern, value))
        if self.choices:
            return value in self.choices
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def parse(self, text: str) -> Value:
        """A text of the command line as :meth:`check` wants it; unchanged if it is no number, which that refuses."""
        try:
            return text if self.type is str else self.type(text)
        except ValueError:
            return text


def option(
    default: Value | None, purpose: str, *, choices: Sequence[Value] = (), low: float | None = None,
    high: float | None = None, pattern: str | None = None, shown: str | None = None,
) -> Any:  # fmt: skip
    """A field of a codec's options, of type ``int``, ``float`` or ``str``; see :class:`Option`.

    Args:
        default: None if the codec finds it out, the weights say it for example; then also give ``shown``.
        purpose: a sentence for people, which need not repeat default, choices and range.
        choices: what it may be.
        low: the least that it may be.
        high: the most.
        pattern: what else than ``choices`` it may be, as a regular expression.
        shown: the default in words.
    """
    about = {"help": purpose, "choices": tuple(choices), "low": low, "high": high, "pattern": pattern}
    return field(default=default, metadata={KEY: {**about, "shown": str(default) if shown is None else shown}})


@dataclass(frozen=True)
class NoOptions:
    """The options of a codec that has none."""


@cache
def listed(declaration: type) -> tuple[Option, ...]:
    """The options that a dataclass declares, in its order; TypeError for a field that :func:`option` did not make."""
    types = get_type_hints(declaration)
    found = []
    for entry in fields(declaration):
        declared = types[entry.name]
        union = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
        kinds = [kind for kind in union if kind is not NoneType]
        if KEY not in entry.metadata or len(kinds) != 1 or kinds[0] not in (int, float, str):
            raise TypeError(f"{entry.name} of {declaration.__qualname__} is not an int, float or str made by option()")
        default: Any = entry.default
        found.append(Option(name=entry.name, type=kinds[0], default=default, **entry.metadata[KEY]))
    return tuple(found)


def validated(codec: str, declaration: type, given: Mapping[str, object]) -> Any:
    """An instance of ``declaration``; what is not given has its default.

    Raises:
        PictureError: ``codec`` has no option of that name, or does not take the value.
    """
    known = {found.name: found for found in listed(declaration)}
    unknown = [name for name in given if name not in known]
    if unknown:
        others = f"; it has {', '.join(known)}" if known else ""
        raise PictureError(f"codec '{codec}' has no option {', '.join(unknown)}{others}")
    return declaration(**{name: known[name].check(value, codec) for name, value in given.items()})
