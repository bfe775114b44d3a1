# SPDX-License-Identifier: BSD-3-Clause
"""A cluster of two machines, of which one is lost in the middle of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calotype.cluster.order import Order
from calotype.cluster.run import Totals, Work, run
from calotype.cluster.session import PATIENT, QUIET
from calotype.cluster.worker import Tally
from tests.cluster.busy import skip_if_busy
from tests.cluster.pictures import folder

ray = pytest.importorskip("ray", reason="calotype batch needs Ray, of pip install 'calotype[cluster]'")
pq = pytest.importorskip("pyarrow.parquet", reason="calotype batch needs PyArrow, of pip install 'calotype[cluster]'")

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A cluster, and the node in it that may be killed."""
    from ray.cluster_utils import Cluster

    skip_if_busy()
    for name, value in (QUIET | PATIENT).items():
        monkeypatch.setenv(name, value)
    made = Cluster()
    try:
        made.add_node(**NODE)
        other = made.add_node(**NODE)
    except Exception as error:  # a machine so busy that Ray gives up waiting for its own parts
        made.shutdown()
        pytest.skip(f"Ray did not start: {error}")
    yield made, other
    made.shutdown()


def test_a_lost_machine_costs_nothing_but_time(nodes: tuple[Any, Any], tmp_path: Path) -> None:
    made, other = nodes
    source, target = folder(tmp_path / "in", 60, side=24), tmp_path / "out"
    order = Order("encode", {"codec": "lossless"})
    work = Work(
        str(source), str(target), order, frozenset([".png"]), ".calo", actors=2, address=made.address, most_files=2
    )
    reports = 0

    def report(tally: Tally, totals: Totals) -> None:
        nonlocal reports
        reports += 1
        if reports == 3:
            made.remove_node(other, allow_graceful=False)

    totals = run(work, report)
    assert (totals.done, totals.failed, totals.skipped) == (60, 0, 0)
    assert sum(node["Alive"] for node in _alive(made)) == 1
    rows = pq.read_table(target / "_manifest").to_pylist()
    assert len(rows) == 60 and set(Counter(row["source"] for row in rows).values()) == {1}
    assert sorted(row["output"] for row in rows) == sorted(
        str(path.relative_to(target)) for path in target.rglob("*.calo")
    )
    assert {row["output"]: row["bytes"] for row in rows} == {
        str(path.relative_to(target)): path.stat().st_size for path in target.rglob("*.calo")
    }


def _alive(made: Any) -> list[dict[str, Any]]:
    ray.init(address=made.address, log_to_driver=False, logging_level="error")
    try:
        return list(ray.nodes())
    finally:
        ray.shutdown()
