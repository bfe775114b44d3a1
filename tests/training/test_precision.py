# SPDX-License-Identifier: BSD-3-Clause
"""bfloat16 is for machines that are faster in it, and for recipes that allow it."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from calotype.networks.layers import Block  # noqa: E402
from calotype.networks.tao2017 import LayerRec, Tao2017Config  # noqa: E402
from calotype.training import precision  # noqa: E402
from calotype.training.loop import Loop, LoopConfig  # noqa: E402


class Nothing:
    """A task of one block."""

    def __init__(self) -> None:
        self.network = Block(8)


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("gain", [0.2, 1.9])
def test_the_faster_one_is_taken_and_named(
    allowed: bool, gain: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(precision, "gain", lambda device: gain)
    task = Nothing()
    Loop(task, LoopConfig(bfloat16=allowed), tmp_path)  # type: ignore[arg-type]
    assert task.network.branch_in_bfloat16 == (allowed and gain > 1)
    said = capsys.readouterr().err
    assert (f"bfloat16 is {gain} times as fast here" in said) == allowed
    assert ("computing in float32" in said) == (allowed and gain < 1)


def test_the_gain_is_measured() -> None:
    assert 0.01 < precision.gain(torch.device("cpu")) < 100


def test_the_paper_s_layers_obey() -> None:
    rec = LayerRec(1, Tao2017Config(variant="plain", depth=4, width=8)).train()
    kinds = []
    rec.last.register_forward_hook(lambda _, __, out: kinds.append(out.dtype))
    for allowed in (False, True):
        rec.branch_in_bfloat16 = allowed
        rec(torch.rand(1, 3, 16, 16), torch.zeros(1, 8, 1, 1))
    assert kinds == [torch.float32, torch.bfloat16]
