# SPDX-License-Identifier: BSD-3-Clause
"""Several processes train one network as one process with a larger batch would, and stop and resume together."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch is one without distributed training", allow_module_level=True)

if sys.platform == "win32":
    pytest.skip("PyTorch's builds for Windows meet in other ways", allow_module_level=True)

from calotype.errors import CalotypeError  # noqa: E402
from calotype.training.ranks import Ranks, choose_device, moved, together  # noqa: E402
from tests.cli.test_train import RECIPE  # noqa: E402
from tests.make_golden import drawing  # noqa: E402

ROOT = Path(__file__).parent.parent.parent
WORKER = Path(__file__).with_name("ranks_worker.py")
TERMINATED = 128 + 15
TIMEOUT = 300  # seconds, on a busy machine


def launch(count: int, *command: object) -> list[tuple[int, str]]:
    """Exit codes and standard errors of ``count`` processes that find each other."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = []
    for rank in range(count):
        places = {"RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank, "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
        environment = {**os.environ, "MASTER_ADDR": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        environment |= {name: str(value) for name, value in places.items()}
        arguments = [sys.executable, *map(str, command)]
        processes.append(subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True))
    try:
        errors = [process.communicate(timeout=TIMEOUT)[1] for process in processes]
        return [(process.returncode, error) for process, error in zip(processes, errors, strict=True)]
    finally:
        for process in processes:
            process.kill()


def trained(folder: Path, count: int, steps: int, signalled: str = "", expected: int = 0) -> list[dict[str, Any]]:
    """What the ranks of a run ended with."""
    folder.mkdir(exist_ok=True)
    for code, error in launch(count, WORKER, folder, steps, 8, *([signalled] if signalled else [])):
        assert code == expected, error
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(count)]


def assert_same(a: dict[str, Any], b: dict[str, Any], tolerance: float = 0.0) -> None:
    for name, value in a.items():
        torch.testing.assert_close(b[name], value, rtol=0, atol=tolerance)


def test_two_processes_train_as_one_with_twice_the_batch_and_resume(tmp_path: Path) -> None:
    (alone,) = trained(tmp_path / "alone", 1, 20)
    first, second = trained(tmp_path / "both", 2, 20)
    assert first["step"] == second["step"] == alone["step"] == 20  # by the clock of the first
    assert_same(first["weights"], second["weights"])
    assert_same(alone["weights"], first["weights"], 1e-5)
    assert set(first["drawn"]).isdisjoint(second["drawn"]) and first["drawn"] == alone["drawn"]
    torch.manual_seed(0)
    parts = {name: torch.nn.Conv2d(3, 3, 3) for name in ("all", "some", "none")}  # as the first rank made them
    assert_same(dict(parts["none"].named_parameters(prefix="none")), first["weights"])
    lines = [json.loads(line) for line in (tmp_path / "both" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines if "sum" in line] == [9, 18, 20]  # the first rank alone writes

    # A signal to the second process stops both after the same step, with one state that both go on from.
    for rank, half in enumerate(trained(tmp_path / "parts", 2, 20, "1:6", TERMINATED)):
        assert half["step"] == 7
        whole = (first, second)[rank]
        assert half["drawn"] == whole["drawn"][:14]
    parts_of_both = trained(tmp_path / "parts", 2, 20)
    for one, whole in zip(parts_of_both, (first, second), strict=True):
        assert one["step"] == 20 and one["drawn"] == whole["drawn"][14:]
        assert_same(one["weights"], whole["weights"])

    # The state of two loads in one process.
    (fewer,) = trained(tmp_path / "parts", 1, 30)
    assert fewer["step"] > 20


def test_torchrun_trains_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(drawing(160, 200, 3, 8)).save(tmp_path / "photos/a.png")
    (tmp_path / "mine.toml").write_text(RECIPE, encoding="utf-8")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "calotype", "train", "mine.toml", "--data", "photos", "--validation", "photos"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--device", "cpu"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "runs/mine/log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert "loss" in lines[0] and "psnr@4" in lines[1] and "file_bpp@50" in lines[2] and len(lines) == 3
    state = torch.load(tmp_path / "runs/mine/state.pt", weights_only=True)
    assert len(state["other_ranks"]) == 1 and state["step"] == lines[0]["step"]


def test_what_one_process_cannot_do_ends_the_others(tmp_path: Path) -> None:
    command = ["-m", "calotype", "train", "talbot", "--data", tmp_path / "nowhere", "--run", tmp_path / "run"]
    (code, sentence), (other_code, other_sentence) = launch(2, *command)
    assert code == other_code == 1
    assert "no pictures below" in sentence and "another process of this training has ended" in other_sentence
    assert "Traceback" not in sentence + other_sentence


def test_alone_nothing_is_exchanged() -> None:
    with together("cpu") as ranks:
        assert ranks == Ranks() and ranks.first
        assert ranks.agree(3.5, 0) == (3.5, 0) and ranks.gather("a") == ["a"]
        p = torch.nn.Parameter(torch.ones(2))
        ranks.average_gradients([p])
        assert p.grad is None


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(CalotypeError, match="no CUDA device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto", 1) == torch.device("cuda", 1) and choose_device("cpu") == torch.device("cpu")
    with pytest.raises(CalotypeError, match="3 processes or more on 2 GPUs"):
        choose_device("auto", 2)


def test_batches_of_any_shape_are_moved() -> None:
    batch = (1, [torch.zeros(2), {"x": torch.ones(1)}], "kept")
    there = moved(batch, torch.device("meta"))
    assert there[0] == 1 and there[2] == "kept"
    assert there[1][0].device.type == there[1][1]["x"].device.type == "meta"
