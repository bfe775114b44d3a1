# SPDX-License-Identifier: BSD-3-Clause
"""Where weights are looked for, and what is said of folders that have none."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from calotype.engine import bundles


def test_a_folder_without_weights_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [bundle.hash for bundle in bundles.installed()]
    (tmp_path / "empty").mkdir()
    named = [str(tmp_path / "missing"), str(tmp_path / "empty"), "~/weights"]
    monkeypatch.setenv(bundles.ENVIRONMENT, os.pathsep.join(named))
    with pytest.warns(UserWarning) as caught:
        assert [bundle.hash for bundle in bundles.installed()] == usual
    told = [str(warning.message) for warning in caught]
    assert [next(name for name in named if f"names {name}, w" in sentence) for sentence in told] == named
    assert "not a folder" in told[0] and "no weights" in told[1] and "write the path in full" in told[2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bundles.installed()
