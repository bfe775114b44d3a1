# SPDX-License-Identifier: BSD-3-Clause
"""The bundles that ship can be trained on: their graphs hold every weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

from calotype.errors import CalotypeError  # noqa: E402
from calotype.training.generators import generator_graph  # noqa: E402
from calotype.training.kinds import kind_of  # noqa: E402
from calotype.training.recipe import load_recipe  # noqa: E402
from calotype.training.rippel2017 import export as rippel2017  # noqa: E402
from calotype.training.tao2017 import export as tao2017  # noqa: E402
from calotype.training.toderici2017 import export as toderici2017  # noqa: E402

WEIGHTS = Path(__file__).parents[2] / "calotype" / "weights"
GRAPHS: dict[str, Any] = {
    "rippel2017": rippel2017.graphs_of,
    "srresnet-x2": lambda network: [generator_graph(network)],
    "tao2017": tao2017.graphs_of,
    "toderici2017": toderici2017.graphs_of,
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_bundle_becomes_its_network(name: str) -> None:
    tables = load_recipe(name)
    configuration = json.loads((WEIGHTS / name / "model.json").read_text(encoding="utf-8"))["configuration"]
    if name == "tao2017":  # weights of either form
        tables["network"] = {"staged": configuration.get("staged", False)}
    kind = kind_of(tables)
    network: Any = kind.network(tables)
    kind.start(network, WEIGHTS / name, None)  # type: ignore[arg-type]  # no pictures are needed
    for graph in GRAPHS[name](network.eval()):
        stored = onnx.load(WEIGHTS / name / f"{graph.name}.onnx").graph.initializer
        for ours, theirs in zip(graph.constants, stored, strict=True):
            a, b = numpy_helper.to_array(ours), numpy_helper.to_array(theirs)
            np.testing.assert_allclose(a, b, rtol=1e-3)  # but for what goes through an exponential, equal


def test_another_network_is_refused() -> None:
    tables = load_recipe("tao2017")
    kind = kind_of(tables)
    with pytest.raises(CalotypeError, match="no bundle of weights"):
        kind.start(kind.network(tables), WEIGHTS, None)  # type: ignore[arg-type]
    tables["network"] = {"strength": 5}
    with pytest.raises(CalotypeError, match="another network"):
        kind.start(kind.network(tables), WEIGHTS / "tao2017", None)  # type: ignore[arg-type]
