# SPDX-License-Identifier: BSD-3-Clause
"""Options as they are declared, checked and written."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotype.codecs.options import NoOptions, listed, option, validated
from calotype.errors import PictureError


@dataclass(frozen=True)
class Options:
    count: int = option(3, "How many.", low=1, high=9)
    share: float = option(0.5, "How much.", low=0)
    kind: str | None = option(None, "Which.", choices=("wet", "dry"), shown="the weather's")
    side: int = option(2, "How large.", choices=(2, 4))
    name: str = option("any", "Whose.", choices=("any",), pattern=r"[a-z]{1,4}")
    limit_to: float = option(1.0, "Up to.", high=1)


def test_what_is_declared() -> None:
    count, share, kind, side, name, limit = listed(Options)
    assert (count.values, share.values, kind.values) == (
        "a whole number from 1 to 9",
        "a number from 0 on",
        "wet or dry",
    )
    assert (side.values, name.values, limit.values) == ("2 or 4", "a name such as any", "a number up to 1")
    assert limit.flag == "--limit-to" and kind.shown == "the weather's" and count.shown == "3"
    assert kind.record["default"] == "the weather's" and count.record["default"] == 3
    assert listed(NoOptions) == ()


@pytest.mark.parametrize(
    "name_value",
    [("count", v) for v in (0, 10, 2.5, "3", True, None, float("nan"), 10**400)]
    + [("share", v) for v in (-0.1, "1", False, None, float("nan"))]
    + [("kind", v) for v in ("damp", ["wet"], 3)]
    + [("side", v) for v in (3, "2", 2.5)]
    + [("name", v) for v in ("ANY", "../etc", "fiver", 7, "")],
)
def test_other_values_are_refused_by_name(name_value: tuple[str, object]) -> None:
    name, value = name_value
    with pytest.raises(PictureError, match=f"^{name} of codec 'x' should be .*, not "):
        validated("x", Options, {name: value})


def test_other_names_are_refused() -> None:
    with pytest.raises(PictureError, match="codec 'x' has no option zeal, zest; it has count, share"):
        validated("x", Options, {"zeal": 3, "count": 3, "zest": 1})
    with pytest.raises(PictureError, match=r"codec 'x' has no option zeal$"):
        validated("x", NoOptions, {"zeal": 3})


@given(st.integers(1, 9), st.floats(0, 1e9), st.sampled_from(["wet", "dry"]))
def test_values_come_back_as_numbers_of_python(count: int, share: float, kind: str) -> None:
    made = validated("x", Options, {"count": np.int16(count), "share": np.float64(share), "kind": kind})
    assert made == Options(count, share, kind) and type(made.count) is int and type(made.share) is float
    texts = {"count": str(count), "share": repr(share), "kind": kind}
    by_name = {found.name: found for found in listed(Options)}
    assert made == validated("x", Options, {name: by_name[name].parse(text) for name, text in texts.items()})


@given(st.text(max_size=6))
def test_any_text_of_the_command_line_is_taken_or_refused(text: str) -> None:
    for found in listed(Options):
        value = found.parse(text)
        try:
            assert type(found.check(value, "x")) is found.type
        except PictureError as error:
            assert found.name in str(error)


def test_fields_that_say_nothing_are_no_options() -> None:
    @dataclass(frozen=True)
    class Plain:
        size: int = 3

    @dataclass(frozen=True)
    class Wrong:
        sizes: list[int] = field(default_factory=list, metadata=option(3, "").metadata)

    for declaration in (Plain, Wrong):
        with pytest.raises(TypeError, match="made by option"):
            listed(declaration)
