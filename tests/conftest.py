# SPDX-License-Identifier: BSD-3-Clause
"""What tests of all rooms share."""

from __future__ import annotations

import pytest

from tests.make_golden import GOLDEN


@pytest.fixture
def golden_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small networks behind the golden files, ahead of those that ship."""
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
