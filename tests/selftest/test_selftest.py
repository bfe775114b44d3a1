# SPDX-License-Identifier: BSD-3-Clause
"""The self test passes here, notices what it should notice, and has a file for each bundle that ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from calotype import selftest
from calotype.cli import app
from calotype.selftest import FOLDER, Verdict, check
from calotype.selftest.speed import Pace
from calotype.selftest.symbols import symbols_hash
from tests.tools import script


def test_files_are_current() -> None:
    assert script("golden").main(["--check"]) == 0, "run tools/golden.py"
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 20_000


def test_a_file_around_weights_that_no_longer_ship_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = script("golden")
    folder = Path(shutil.copytree(FOLDER, tmp_path / "golden"))
    shutil.copyfile(golden.RELEASES / "1.0.0" / "srresnet-x2.calo", folder / "srresnet-x2.calo")
    monkeypatch.setattr(golden, "FOLDER", folder)
    assert [bundle.id for bundle in golden.stale()] == ["srresnet-x2"]


def test_this_machine_is_exact() -> None:
    verdicts = list(check())
    assert verdicts and all(verdict.passed for verdict in verdicts)
    assert {verdict.exact for verdict in verdicts if verdict.name.startswith(("talbot", "rippel", "toderici"))} == {
        True
    }


@pytest.mark.parametrize("name", ["talbot", "rippel2017", "toderici2017", "srresnet-x2"])
def test_symbols_do_not_depend_on_threads(name: str) -> None:
    data = (FOLDER / f"{name}.calo").read_bytes()
    assert symbols_hash(data, 3) == symbols_hash(data, 1) != symbols_hash((FOLDER / "talbot-eye.calo").read_bytes())


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the golden files that may be changed, with one file alone expected."""
    folder = tmp_path / "golden"
    shutil.copytree(FOLDER, folder)
    wanted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    (folder / "expected.json").write_text(json.dumps({"talbot": wanted["talbot"]}), encoding="utf-8")
    monkeypatch.setattr(selftest, "FOLDER", folder)
    monkeypatch.setattr(selftest, "EXPECTED", folder / "expected.json")
    return folder


def only() -> Verdict:
    (verdict,) = check()
    return verdict


def test_other_symbols(changed: Path) -> None:
    wanted = json.loads((changed / "expected.json").read_text(encoding="utf-8"))
    wanted["talbot"]["symbols"] = "0" * 64
    (changed / "expected.json").write_text(json.dumps(wanted), encoding="utf-8")
    assert only().exact is False and not only().passed
    result = CliRunner().invoke(app, ["selftest", "--no-speed"])
    assert result.exit_code == 1 and "SYMBOLS DIFFER" in result.output and "NOT EXACT" in result.output


def test_other_pixels(changed: Path) -> None:
    wanted = json.loads((changed / "expected.json").read_text(encoding="utf-8"))
    wanted["talbot"]["pixels"][0][0][0] += 9
    (changed / "expected.json").write_text(json.dumps(wanted), encoding="utf-8")
    assert only().exact and (only().difference or 0) >= 7 and not only().passed


def test_damage(changed: Path) -> None:
    data = bytearray((changed / "talbot.calo").read_bytes())
    data[-20] ^= 1
    (changed / "talbot.calo").write_bytes(data)
    assert "damaged" in only().problem
    assert not only().passed


def test_command(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calotype.selftest.speed.measure", lambda threads: Pace(threads, 2.5, 3.25))
    result = CliRunner().invoke(app, ["selftest"])
    assert result.exit_code == 0 and "This machine is exact" in result.output
    assert "1 thread: encodes 2.5, decodes 3.2 megapixels a second" in result.output
    record = json.loads(CliRunner().invoke(app, ["selftest", "--json"]).output)
    assert record["exact"] and record["files"][0]["passed"] and record["speed"][0]["threads"] == 1
