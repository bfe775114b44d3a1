# SPDX-License-Identifier: BSD-3-Clause
"""Ray, started so that it keeps to itself: no usage statistics, no dashboard, no address but this machine's own."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CalotypeError, DependencyError, describe
from .store import NEEDED

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else the first node reports to Ray's makers
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_TQDM": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # silences a warning about GPUs, of which there are none to hide
}
PATIENT = {  # with a busy machine, on which Ray's own parts take long to start
    "RAY_DASHBOARD_STARTUP_TIMEOUT_S": "300",  # of a process that runs even without a dashboard
    "RAY_agent_register_timeout_ms": "300000",
}
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # on the loopback address, as there, on Linux too
STORE = 128_000_000  # bytes of shared memory: only names and sums pass through it


@contextmanager
def cluster(address: str | None, cores: int | None = None) -> Iterator[Any]:
    """The module ``ray``, connected.

    Args:
        address: of a cluster: ``auto`` for the one that this machine belongs to; None: start one here, and end it.
        cores: of the one that is started here; None for all.

    Raises:
        DependencyError: Ray is not installed.
        CalotypeError: there is no such cluster, or it does not answer.
    """
    wanted = QUIET | PATIENT | (ALONE if address is None else {})
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)  # read while Ray is imported, and by the processes that it starts
    try:
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise DependencyError(NEEDED) from error
        started = not ray.is_initialized()
        if started:
            _start(ray, address, cores)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what goes wrong is raised
        try:
            yield ray
        finally:
            if started:
                ray.shutdown()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep Ray's compiled half from writing to standard error that it was told to be quiet."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _start(ray: Any, address: str | None, cores: int | None) -> None:
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        with _unheard():
            if address is None:
                ray.init(address="local", num_cpus=cores, include_dashboard=False, object_store_memory=STORE, **quiet)
            else:
                ray.init(address=address, **quiet)
    except Exception as error:  # of many kinds
        where = "here" if address is None else f"at {address}"
        hint = "" if address is None else "; ray start --head makes one, and leaving --address out needs none"
        raise CalotypeError(f"no Ray cluster {where}: {describe(error)}{hint}") from error
