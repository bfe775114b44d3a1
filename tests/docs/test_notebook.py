# SPDX-License-Identifier: BSD-3-Clause
"""The notebook is the script beside it, holds no outputs, and runs."""

from __future__ import annotations

from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("onnx")
pytest.importorskip("skimage")

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
LONGEST = 300  # seconds of a cell, on a busy machine


def test_script_and_notebook_are_the_same() -> None:
    script, notebook = (jupytext.read(FOLDER / f"report.{suffix}") for suffix in ("py", "ipynb"))
    assert [(c.cell_type, c.source) for c in script.cells] == [(c.cell_type, c.source) for c in notebook.cells]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


def test_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_NOTEBOOK_SMALL", "1")
    notebook = jupytext.read(FOLDER / "report.ipynb")
    nbclient.NotebookClient(notebook, timeout=LONGEST).execute()
    said = "".join(output.text for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output)
    assert "networks around JPEG" in said and "srgan, 4 times" in said and "100% of the file" in said
    assert "restored by the network of this minute" in said and "next: calotype export" in said
