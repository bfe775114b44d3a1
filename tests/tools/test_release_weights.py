# SPDX-License-Identifier: BSD-3-Clause
"""What is released is verified and written down."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from calotype.errors import BundleError
from tests.make_golden import GOLDEN
from tests.tools import script

pytest.importorskip("torch")
SMALL = GOLDEN / "weights" / "small"
ROOT = Path(__file__).parent.parent.parent


def test_weights_are_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = script("release_weights")
    release.verify(release.bundle_in(SMALL))
    assert capsys.readouterr().out.startswith("small: ") and release.LARGEST > 12e6
    damaged = tmp_path / "small"
    shutil.copytree(SMALL, damaged)
    (damaged / "g_s.onnx").write_bytes(b"")
    with pytest.raises(BundleError, match="damaged"):
        release.verify(release.bundle_in(damaged))


def test_what_is_released_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = script("release_weights")
    shutil.copytree(SMALL, tmp_path / "weights" / "small")
    monkeypatch.setattr(release, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(release, "ARCHIVE", tmp_path / "archive")
    monkeypatch.setattr(release, "LOCK", tmp_path / "weights.lock")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text('kind = "talbot"\n[bundle]\nid = "small"\n', encoding="utf-8")
    arguments = [str(tmp_path / "run"), "--skip", "export,verify,bench,tables", "--description", "my photographs"]
    assert release.main(arguments) == 0
    (entry,) = json.loads((tmp_path / "weights.lock").read_text(encoding="utf-8")).values()
    assert entry["sha256"] == release.bundle_in(SMALL).hash and entry["bytes"] > 1000
    assert entry["data"] == "my photographs" and entry["recipe"] == {"kind": "talbot", "bundle": {"id": "small"}}
    release.write_lock()  # what is known of weights that have not changed stays
    assert json.loads((tmp_path / "weights.lock").read_text(encoding="utf-8")) == {"small": entry}


@pytest.mark.skipif(not (ROOT / "archive").is_dir(), reason="a source distribution is without the archive")
def test_the_lock_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = script("release_weights")
    written = (ROOT / "weights.lock").read_text(encoding="utf-8")
    (tmp_path / "weights.lock").write_text(written, encoding="utf-8")
    monkeypatch.setattr(release, "LOCK", tmp_path / "weights.lock")
    release.write_lock()
    assert (tmp_path / "weights.lock").read_text(encoding="utf-8") == written, "run tools/release_weights.py"
