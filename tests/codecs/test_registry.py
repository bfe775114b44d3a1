# SPDX-License-Identifier: BSD-3-Clause
"""The registry: our codecs, those of other packages, and broken ones, which cost only themselves."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings

import pytest

from calotype import codecs
from calotype.errors import PictureError
from tests.codecs.toy_codec import foreign


def test_ours_come_first() -> None:
    with foreign(("toy", "calotype_toy:ENTRY")):
        assert [entry.id for entry in codecs.available()] == [*codecs.OURS, "toy"]
        assert codecs.available()[0].id == codecs.DEFAULT
        assert codecs.get("toy").id == "toy" and codecs.find("toy") is codecs.get("toy")
    with foreign(), pytest.raises(PictureError, match="no codec 'toy'; there are: talbot, ledig2017"):
        codecs.get("toy")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("calotype_toy.nothing:ENTRY", "ModuleNotFoundError"),
        ("calotype_toy:NOTHING", "AttributeError"),
        ("calotype_toy:Options", "not an Entry with the id 'broken'"),
        ("calotype_toy:ENTRY", "not an Entry with the id 'broken'"),
        ("tests.codecs.test_registry:UNDECLARED", "size of Undeclared is not"),
    ],
)
def test_a_broken_one_is_a_warning(value: str, reason: str) -> None:
    with foreign(("broken", value), ("toy", "calotype_toy:ENTRY")):
        with pytest.warns(UserWarning, match=f"codec 'broken' of the package .* is passed over: .*{reason}"):
            known = codecs.available()
        assert [entry.id for entry in known] == [*codecs.OURS, "toy"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            codecs.available()  # it is said once


@dataclasses.dataclass(frozen=True)
class Undeclared:
    size: int = 3


UNDECLARED = codecs.Entry("broken", "", "", "nowhere:Nothing", Undeclared)


def test_nobody_takes_the_name_of_ours() -> None:
    points = (("talbot", "calotype_toy:ENTRY"), ("toy", "calotype_toy:ENTRY"), ("toy", "calotype_toy:OTHER"))
    with foreign(*points), pytest.warns(UserWarning, match="'talbot' .* is passed over: there is another codec"):
        assert [entry.id for entry in codecs.available()] == [*codecs.OURS, "toy"]
    with foreign(*points), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert codecs.get("talbot").title.startswith("the flagship")  # others are not even looked for


def test_what_is_declared_loads_nothing_heavy() -> None:
    heavy = ("numpy", "PIL", "onnxruntime", "torch", "importlib.metadata")
    code = (
        "import sys; from calotype import codecs; [entry.takes for entry in codecs.own()]; codecs.get('tao2017'); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
