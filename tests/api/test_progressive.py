# SPDX-License-Identifier: BSD-3-Clause
"""Pictures while their bytes arrive, from files, sockets and iterables; what is wrong is said when it is seen."""

from __future__ import annotations

import io
import socket
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

import calotype
from calotype import container
from calotype.errors import DamageWarning, FormatError, PictureError
from tests.make_golden import GOLDEN, drawing

pytestmark = pytest.mark.usefixtures("golden_weights")


@pytest.fixture
def file() -> bytes:
    return calotype.encode(drawing(40, 530, 3, 8), codec="toderici2017", quality=100, threads=1)


def steps(source: object) -> list[calotype.Progressive]:
    return list(calotype.progressive(source, threads=1, as_array=True))  # type: ignore[arg-type]


def test_a_picture_for_each_layer(file: bytes) -> None:
    for source in (file, io.BytesIO(file), [file[i : i + 7] for i in range(0, len(file), 7)]):
        found = steps(source)
        assert [step.iteration for step in found] == [1, 2, 3, 4]
        for step in found:
            assert (step.image == calotype.decode(file, iterations=step.iteration, threads=1, as_array=True)).all()
    assert [step.size for step in found] == sorted({step.size for step in found})
    image = next(iter(calotype.progressive(file))).image
    assert image.size == (530, 40)


def test_what_follows_the_end_is_not_looked_at(file: bytes) -> None:
    assert [len(steps(source)) for source in (file + b"more", [file, b"more"], io.BytesIO(file + b"more"))] == [4, 4, 4]


def test_the_first_picture_comes_before_the_last_byte(file: bytes) -> None:
    def bytes_of() -> Iterator[bytes]:
        for i in range(0, len(file), 16):
            yield file[i : i + 16]
            sent.append(i)

    sent: list[int] = []
    first = next(calotype.progressive(bytes_of(), threads=1))
    assert len(sent) * 16 < len(file) / 2
    assert first.size <= (len(sent) + 1) * 16


def test_from_a_socket(file: bytes) -> None:
    ours, theirs = socket.socketpair()

    def send() -> None:
        for i in range(0, len(file), 50):
            theirs.sendall(file[i : i + 50])
        ready.wait(30)  # the connection stays open: the end box is the end
        theirs.close()

    ready = threading.Event()
    sender = threading.Thread(target=send)
    sender.start()
    with ours, ours.makefile("rb") as stream:
        assert len(steps(stream)) == 4
    ready.set()
    sender.join(30)


def test_a_stream_that_stops(file: bytes) -> None:
    ends = [file.index(payload or b"?") for payload in container.unpack(file).tiles]
    with pytest.warns(DamageWarning, match="after 1 of at most 4 layers and 1 of 2 tiles"):
        found = steps(file[: ends[3]])
    assert [step.iteration for step in found] == [1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        expected = calotype.decode(file[: ends[3]], threads=1, as_array=True)
    assert (found[-1].image == expected).all()
    with pytest.warns(DamageWarning, match="truncated"):
        assert len(steps(file[:-1])) == 4


def test_files_of_other_codecs_come_at_their_end() -> None:
    data = (GOLDEN / "colour.calo").read_bytes()
    (step,) = steps([data[:100], data[100:]])
    assert step.iteration == 1 and step.size == len(data)
    whole = calotype.decode(data, threads=1, as_array=True)
    assert (step.image == whole).all()

    def endless() -> Iterator[bytes]:
        yield data + b"more"
        raise AssertionError("nothing is read behind the end")

    assert (steps(endless())[0].image == whole).all()
    for short in (data[:-1], data[:60]):
        with pytest.raises(FormatError, match="truncated"):
            steps([short])


def test_what_is_wrong_is_an_error(file: bytes) -> None:
    tiles = container.unpack(file).tiles
    offset = file.index(tiles[4] or b"?")
    damaged = file[:offset] + bytes([file[offset] ^ 1]) + file[offset + 1 :]
    arriving = calotype.progressive(damaged, threads=1)
    next(arriving), next(arriving)
    with pytest.raises(FormatError, match="layer 3, tile 1 of 2"):
        next(arriving)
    for data, words in ((b"", "empty"), (file[:30], "truncated"), (file[:50], "truncated")):
        with pytest.raises(FormatError, match=words):
            steps(data)
    with pytest.raises(FormatError, match=r"not a \.calo"):
        steps([b"GIF89a" * 10])
    for source in (7, ["text"], io.StringIO("text")):
        with pytest.raises(FormatError, match="progressive takes"):
            steps(source)
    with pytest.raises(FormatError, match="a binary file or an iterable of bytes, not str"):
        steps("photo.calo")


def test_a_source_that_does_not_wait_is_named() -> None:
    class Impatient:
        def read(self, size: int) -> None:
            return None

    with pytest.raises(FormatError, match="does not block"):
        steps(Impatient())


def test_strangers_get_no_more_pixels_than_allowed(file: bytes) -> None:
    assert len(list(calotype.progressive(file, max_pixels=40 * 530))) == 4
    for data in (file, (GOLDEN / "colour.calo").read_bytes()):
        with pytest.raises(PictureError, match="max_pixels is 999"):
            next(calotype.progressive([data[:60], data[60:]], max_pixels=999))


def test_images_are_arrays_if_wanted(file: bytes) -> None:
    assert isinstance(steps(file)[0].image, np.ndarray)
