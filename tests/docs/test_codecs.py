# SPDX-License-Identifier: BSD-3-Clause
"""The page of the codecs says what they declare, and its example declares a codec."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calotype.codecs import Entry
from tests.tools import script

CODECS = script("codec_options")


def test_the_page_is_current() -> None:
    assert CODECS.main(["--check"]) == 0, "run tools/codec_options.py"


def test_a_stale_page_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "docs" / "codecs.md"
    page.parent.mkdir()
    page.write_text(f"before\n{CODECS.BEGIN}\nold\n{CODECS.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(CODECS, "PAGE", page)
    monkeypatch.setattr(CODECS, "ROOT", tmp_path)
    assert CODECS.main(["--check"]) == 1 and "old" in page.read_text(encoding="utf-8")
    assert CODECS.main([]) == 0 == CODECS.main(["--check"])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "| `effort` |" in text


def test_the_example_declares_a_codec() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", CODECS.PAGE.read_text(encoding="utf-8"), re.S)
    scope: dict[str, object] = {"__name__": "tests.docs.test_codecs"}
    exec(code, scope)
    entry = scope["ENTRY"]
    assert isinstance(entry, Entry) and entry.validated({"level": 9}) == scope["Options"](9)  # type: ignore[operator]
