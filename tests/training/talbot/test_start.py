# SPDX-License-Identifier: BSD-3-Clause
"""A bundle can be trained on: it becomes the network that it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from calotype.engine.bundles import Bundle  # noqa: E402
from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks.talbot import Talbot  # noqa: E402
from calotype.training.parents import bundle_in, keep_parent, parent_of, provenance  # noqa: E402
from calotype.training.talbot.export import transform_graph  # noqa: E402
from calotype.training.talbot.start import start_from_bundle  # noqa: E402


def test_a_bundle_becomes_its_network(bundle: Bundle, network: Talbot) -> None:
    found = Talbot(network.config)
    start_from_bundle(found, bundle)
    found.eval()
    for name, channels in (("g_a", 3), ("h_a", network.config.m), ("g_s", network.config.m)):
        again = transform_graph(name, channels, getattr(found, name)).model().SerializeToString(deterministic=True)
        assert again == (bundle.path / f"{name}.onnx").read_bytes()  # exactly as they are stored
    x = torch.nn.functional.avg_pool2d(torch.rand(2, 3, 260, 260, generator=torch.Generator().manual_seed(1)), 5, 1)
    for level in (0.5, 2.5):
        levels = torch.full((2,), level)
        with torch.inference_mode():
            (_, y_bits, z_bits), (_, y_before, z_before) = found(x, levels), network(x, levels)
        assert y_bits.sum().item() == pytest.approx(y_before.sum().item(), rel=0.03)
        assert z_bits.sum().item() == pytest.approx(z_before.sum().item(), rel=0.03, abs=20)


def test_another_network_is_refused(bundle: Bundle, network: Talbot) -> None:
    for other in ({"c1": 24}, {"blocks": 2}, {"levels": 5}):
        with pytest.raises(CalotypeError, match="another"):
            start_from_bundle(Talbot(replace(network.config, **other)), bundle)


def test_provenance_is_summed_over_parents(bundle: Bundle, tmp_path: Path) -> None:
    state = {"step": 10, "seconds": 180.0}
    assert provenance(state, 5, parent_of(tmp_path)) == {"training": {"steps": 10, "minutes": 3, "pictures": 5}}
    told = Bundle(bundle.path, {**bundle.description, "training": {"steps": 100, "minutes": 60, "pictures": 9}})
    keep_parent(tmp_path, told)
    expected = {"training": {"steps": 110, "minutes": 63, "pictures": 5}, "parent": bundle.hash}
    assert provenance(state, 5, parent_of(tmp_path)) == expected
    keep_parent(tmp_path, None)
    assert parent_of(tmp_path) is None
    with pytest.raises(CalotypeError, match="no bundle of weights"):
        bundle_in(tmp_path)
