# SPDX-License-Identifier: BSD-3-Clause
"""The script that builds is not run here: that takes minutes."""

from __future__ import annotations

import pytest

from tests.tools import script


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--unknown", 2)])
def test_nothing_is_built_for_arguments(argument: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution = script("distribution")
    monkeypatch.setattr(distribution, "build", lambda: pytest.fail("it builds"))
    with pytest.raises(SystemExit) as ended:
        distribution.main([argument])
    assert ended.value.code == code
