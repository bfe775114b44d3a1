# SPDX-License-Identifier: BSD-3-Clause
"""The decoder and encoder for browsers, in Node: its own tests, and the two ways between it and Python."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import calotype
from tests.attacks.hostile import HOSTILE
from tests.make_golden import drawing
from tests.web.conftest import photograph
from tests.web.node import WEB, needs_node, node

pytestmark = needs_node


def test_its_own_tests_pass() -> None:
    node("--test", *sorted((WEB / "tests").glob("*.test.js")))


def test_python_writes_and_it_reads(tmp_path: Path) -> None:
    cases = {
        "colour": (photograph(150, 210), {"tune": "eye", "quality": 70}),
        "tiles": (photograph(40, 1100), {"tune": "psnr", "quality": 30}),
        "deep": (drawing(48, 64, 4, 16), {"quality": 90}),
        "grey": (photograph(64, 80)[:, :, 0], {"quality": 50}),
    }
    for name, (picture, options) in cases.items():
        file, raw = tmp_path / f"{name}.calo", tmp_path / f"{name}.raw"
        file.write_bytes(calotype.encode(picture, **options))
        node("tests/convert.js", "decode", file, raw)
        expected = calotype.decode(file.read_bytes(), as_array=True)
        decoded = np.fromfile(raw, expected.dtype).reshape(expected.shape)
        # The synthesis is floating point: a sample may differ in its last bit, of 16 bits in the last few.
        assert np.abs(decoded.astype(int) - expected).max() <= (1 if expected.dtype == np.uint8 else 16), name


@pytest.mark.parametrize("tune", ["eye", "psnr"])
def test_it_writes_and_python_reads(tune: str, tmp_path: Path) -> None:
    picture = photograph(90, 130)
    rgba = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    rgba.tofile(tmp_path / "rgba")
    weights = {"psnr": "talbot", "eye": "talbot-eye"}[tune]
    node("tests/convert.js", "encode", tmp_path / "rgba", "130", "90", "55.5", weights, tmp_path / "it.calo")
    data = (tmp_path / "it.calo").read_bytes()
    assert calotype.probe(data).quality == 55.5
    ours = calotype.encode(picture, quality=55.5, tune=tune)
    # The analysis is floating point: a few symbols may round the other way.
    assert len(data) == pytest.approx(len(ours), rel=0.01)
    theirs = calotype.decode(data, as_array=True).astype(float)
    assert np.abs(theirs - calotype.decode(ours, as_array=True)).mean() < 0.1


def test_hostile_files_are_refused_within_bounded_time_and_memory(tmp_path: Path) -> None:
    for name, make in HOSTILE.items():
        (tmp_path / name).write_bytes(make())
    found = json.loads(node("tests/convert.js", "judge", tmp_path))
    for name, verdict in found["verdicts"].items():
        assert verdict["kind"] in ("FormatError", "PictureError"), (name, verdict)
        assert verdict["text"].isprintable() and len(verdict["text"]) < 250, (name, verdict)
        assert verdict["ms"] < 20_000, (name, verdict)
    assert found["memory"] < 2**30


def test_its_ssimulacra_2_is_that_of_python(tmp_path: Path) -> None:
    from calotype.metrics import ssimulacra2

    original = photograph(230, 250)
    for name, picture in {"same": original, "coarse": original // 24 * 24, "shifted": np.roll(original, 1, 1)}.items():
        for file, samples in (("a", original), ("b", picture)):
            np.dstack([samples, np.full(samples.shape[:2], 255, np.uint8)]).tofile(tmp_path / file)
        score = float(node("tests/convert.js", "score", tmp_path / "a", tmp_path / "b", "250", "230"))
        assert score == pytest.approx(ssimulacra2(original, picture), abs=0.6), name


def test_its_types_are_sound() -> None:
    compiler = WEB / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        pytest.skip("TypeScript is not installed: npm ci --prefix web")
    node(compiler, "--project", WEB / "tests" / "tsconfig.json")


def test_the_engine_is_what_its_source_makes(tmp_path: Path) -> None:
    if not (shutil.which("clang-19") and shutil.which("wasm-ld-19")):
        pytest.skip("clang-19 and lld-19 are not installed")
    subprocess.run([WEB / "engine" / "build.sh", tmp_path], check=True, env=os.environ)
    for name in ("engine.wasm", "engine-relaxed.wasm"):
        assert filecmp.cmp(tmp_path / name, WEB / "src" / name, shallow=False), f"{name}: run web/engine/build.sh"
