# SPDX-License-Identifier: BSD-3-Clause
"""Every file that a release wrote decodes to what it decoded to then."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from calotype import BundleError, decode, probe
from calotype.cli import app
from calotype.engine import bundles
from calotype.selftest import TOLERANCE, pixels
from calotype.selftest.symbols import symbols_hash

FILES = sorted(Path(__file__).parent.glob("*/*.calo"))
ARCHIVE = Path(__file__).parents[2] / "archive"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_files_of_a_release_open_for_ever(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ARCHIVE))  # a source distribution is without it
    data = file.read_bytes()
    kept = {bundle.hash[:8] for bundle in (*bundles.installed(), *bundles.retired())}
    info = probe(data)
    if not ARCHIVE.is_dir() and not {info.bundle, info.inner_bundle} <= kept | {"00000000", ""}:
        pytest.skip("its weights are in the archive, which is not here")
    wanted = json.loads((file.parent / "expected.json").read_text(encoding="utf-8"))[file.stem]
    assert symbols_hash(data) == wanted["symbols"]
    assert np.abs(np.subtract(pixels(data), wanted["pixels"])).max() <= TOLERANCE
    said = decode(data, threads=1).info
    assert {name: repr(said.get(name)) for name in wanted.get("info", {})} == wanted.get("info", {})


def test_every_release_has_files() -> None:
    folders = {file.parent for file in FILES}
    changes = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = set(re.findall(r"^## \[(\d+\.\d+\.\d+)\] - ", changes, re.M))
    assert released <= {folder.name for folder in folders}, "run tools/golden.py --release"
    assert folders
    for folder in folders:
        assert set(json.loads((folder / "expected.json").read_text(encoding="utf-8"))) == {
            file.stem for file in folder.glob("*.calo")
        }


@pytest.mark.skipif(bool(bundles.retired()), reason="the archive is installed")
@pytest.mark.parametrize("name", ["0.1.0.dev0/talbot-ms-ssim.calo", "1.0.0/talbot.calo", "1.0.0/srresnet-x2.calo"])
def test_a_file_of_retired_weights_names_the_package_that_has_them(name: str) -> None:
    file = Path(__file__).parent / name
    with pytest.raises(BundleError, match="pip install --upgrade calotype-weights-archive"):
        pixels(file.read_bytes())
    said = CliRunner().invoke(app, ["info", str(file)]).stdout
    assert "NOT installed" in said and "calotype-weights-archive has old ones" in " ".join(said.split())


@pytest.mark.skipif(not ARCHIVE.is_dir(), reason="a source distribution is without the archive")
@pytest.mark.parametrize("name", ["talbot", "srresnet-x2"])
def test_info_finds_the_weights_of_the_archive(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ARCHIVE))
    said = CliRunner().invoke(app, ["info", str(Path(__file__).parent / "1.0.0" / f"{name}.calo")]).stdout
    assert "d1ea2061" in said
    assert "NOT installed" not in said
