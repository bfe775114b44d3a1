# SPDX-License-Identifier: BSD-3-Clause
"""A little of the campaign, the same cases each time, and every file that once broke a promise."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import calotype
from tests.attacks import judge, mutation
from tests.attacks.campaign import CORPUS, Work
from tests.attacks.originals import install_weights


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """All originals, and the weights that decode them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALOTYPE_WEIGHTS", "")  # to be as it was
        install_weights(tmp_path_factory.mktemp("weights"))
        yield Work()


def test_originals_are_sound(work: Work) -> None:
    counts: Counter[str] = Counter()
    for original in work.originals:
        judge.judge(original.data, original, random.Random(0), forged=False, counts=counts)
        assert mutation.join(mutation.split(original.data)) == original.data
    assert counts["decode, not refused"] == counts["salvage, not refused"] == len(work.originals)


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_damage_breaks_no_promise(work: Work, start: int) -> None:
    for number in range(start, start + 100):
        original, data, is_forged, decoding, rng = work.case(number)
        judge.judge(data, original, rng, forged=is_forged, decoding=decoding)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.calo")), ids=lambda path: path.stem)
def test_what_once_broke_a_promise(work: Work, path: Path) -> None:
    original = next((known for known in work.originals if path.stem.startswith(known.name + "-")), None)
    if original is None:
        pytest.skip("the codec of this file is not installed")
    for number in range(3):
        judge.judge(path.read_bytes(), original, random.Random(number), forged="forged" in path.stem)


def test_another_picture_is_noticed(work: Work) -> None:
    """The judge itself: a file that decodes, but to something else."""
    one, other = (next(o for o in work.originals if o.name == name) for name in ("colour", "grey"))
    with pytest.raises(judge.FaultError, match="other parts without a word"):
        judge.judge(other.data, one, random.Random(0), forged=False)
    judge.judge(other.data, one, random.Random(0), forged=True)


def test_exceptions_of_others_are_noticed(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr(judge, "probe", broken)
    with pytest.raises(judge.FaultError, match="info: IndexError"):
        judge.judge(work.originals[0].data, work.originals[0], random.Random(0), forged=False)


def test_mending_makes_damage_pass_the_checksums(work: Work) -> None:
    original = next(o for o in work.originals if o.name == "colour")
    broken = bytearray(original.data)
    broken[-20] ^= 1  # in the tile
    with pytest.raises(calotype.FormatError, match="damaged"):
        calotype.probe(bytes(broken))
    assert calotype.probe(mutation.mended(bytes(broken))).codec == "talbot"
