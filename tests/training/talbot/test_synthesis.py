# SPDX-License-Identifier: BSD-3-Clause
"""The synthesis alone, trained on latents as files have them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.codecs.talbot.codec import Talbot as Codec  # noqa: E402
from calotype.engine.bundles import Bundle  # noqa: E402
from calotype.errors import CalotypeError  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.loop import Loop, LoopConfig  # noqa: E402
from calotype.training.parents import bundle_in  # noqa: E402
from calotype.training.talbot import kind  # noqa: E402
from tests.make_golden import drawing  # noqa: E402

from ..conftest import SMALL  # noqa: E402


def test_a_better_synthesis_for_the_same_files(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    picture = drawing(160, 192, 3, 8)
    Image.fromarray(picture).save(tmp_path / "photos" / "a.png")
    pictures = PictureCache(tmp_path / "photos", tmp_path / "cache")
    network = asdict(SMALL)
    tables: dict[str, Any] = {
        "network": network, "crop": {"size": 64, "scale_probability": 0.0}, "bundle": {"id": "tuned"},
        "synthesis": {"bundle": str(bundle.path), "pool": 6},
    }  # fmt: skip
    made = kind.network(tables)
    with pytest.raises(CalotypeError, match="leave out --init"):
        kind.start(made, Path("weights"), pictures)
    kind.start(made, None, pictures)
    task = kind.task(made, tables, pictures, [tmp_path / "photos" / "a.png"])
    before = task.validate()
    run = tmp_path / "run"
    config = LoopConfig(hours=3 / 3600, batch=3, learning_rate=3e-3, warmup_steps=1, decay=0.0, ema=0.9, bfloat16=False)
    loop = Loop(task, config, run)
    loop.run()
    with loop.averaged(), torch.inference_mode():
        after = task.validate()
    assert after["bpp@2.5"] == before["bpp@2.5"] and after["psnr@2.5"] > before["psnr@2.5"]
    assert len(task.crops) == min(6, 2 + loop.step)

    kind.export(run / "state.pt", tables, pictures, tmp_path / "tuned")
    new = bundle_in(tmp_path / "tuned")
    assert new.id == "tuned" and new.description["parent"] == bundle.hash != new.hash
    same = [name for name in bundle.files if (new.path / name).read_bytes() == (bundle.path / name).read_bytes()]
    assert set(bundle.files) - set(same) == {"g_s.onnx", "tables.npz"}
    coded = Codec(bundle, 1).encode(picture, 60 * 256)
    assert Codec(new, 1).encode(picture, 60 * 256) == coded
    errors = [
        np.square(Codec(b, 1).decode(coded, picture.shape, 8, 60 * 256).astype(float) - picture).mean()
        for b in (bundle, new)
    ]
    assert errors[1] < errors[0]

    description = json.loads((bundle.path / "model.json").read_text(encoding="utf-8"))
    assert "parent" not in description  # the old bundle is as it was
    other = kind.network({**tables, "synthesis": {"bundle": str(new.path)}})
    from calotype.training.talbot.synthesis import export_run

    with pytest.raises(CalotypeError, match="not the bundle that training began from"):
        export_run(run / "state.pt", other, tmp_path / "again", 1, {})
