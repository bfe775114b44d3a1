# SPDX-License-Identifier: BSD-3-Clause
"""One training run: what is trained, on what, where its state is kept."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..atomic import write_atomically
from ..errors import CalotypeError
from .board import Board, need_tensorboard
from .data import PictureCache, find_pictures, readable
from .kinds import Kind, kind_of
from .loop import Loop, LoopConfig
from .parents import bundle_in, keep_parent
from .ranks import Ranks
from .recipe import KEPT, configure, load_recipe, recipe_of, recipe_path
from .sources import open_pictures

STATE = "state.pt"


@dataclass(frozen=True)
class Run:
    """A run as the command line describes it.

    Attributes:
        recipe: the name of one that ships, or a TOML file.
        data: photographs, see :mod:`calotype.training.sources`.
        folder: of states, log and recipe; the cache of pictures lies beside it.
        megapixels: of data sets, decode so many at most.
        init: weights to start a new run from: a bundle or a safetensors file.
        validation: folder of photographs to validate on.
        hours: instead of the recipe's time.
        tensorboard: write the log for TensorBoard as well.
        fresh: start anew, whatever state there is.
    """

    recipe: str
    data: str
    folder: Path
    megapixels: float
    init: Path | None = None
    validation: Path | None = None
    hours: float | None = None
    tensorboard: bool = False
    fresh: bool = False

    @property
    def new(self) -> bool:
        """Whether it starts, rather than goes on."""
        return self.fresh or not (self.folder / STATE).exists()

    def check(self) -> None:
        """Find what is wrong with recipe and arguments before anything that takes long. Raises CalotypeError."""
        tables = load_recipe(self.recipe)
        kind_of(tables).check(tables)
        configure(LoopConfig, tables.get("loop", {}), hours=self.hours)
        if self.folder.exists() and not self.folder.is_dir():
            raise CalotypeError(f"{self.folder} is a file: name a folder with --run")
        if self.tensorboard:
            need_tensorboard()
        if self.new and self.init and not self.init.exists():
            raise CalotypeError(f"there are no weights at {self.init}: name a bundle or a safetensors file with --init")

    def train(self, ranks: Ranks) -> bool:
        """Work of each process; whether the time is spent, and no signal ended it before."""
        tables, new = load_recipe(self.recipe), self.new
        kind = kind_of(tables)
        config = configure(LoopConfig, tables.get("loop", {}), hours=self.hours)
        torch.manual_seed(config.seed)
        network = kind.network(tables)
        if not ranks.first:
            ranks.wait()  # until the first one has decoded the photographs, and found the weights to start from
        judges = readable(find_pictures(self.validation)) if self.validation and ranks.first else []
        pictures = open_pictures(self.data, self.folder.parent / "cache", self.megapixels)
        if ranks.first:
            if new:
                kind.start(network, self.init, pictures)
            ranks.wait()
        pictures.keep_on(ranks.device)
        task = kind.task(network, tables, pictures, judges)
        loop = Loop(task, config, self.folder, resume=not self.fresh, ranks=ranks)
        if ranks.first:
            write_atomically(self.folder / KEPT, recipe_path(self.recipe).read_bytes())
            if new:
                keep_parent(self.folder, bundle_in(self.init) if self.init and self.init.is_dir() else None)
            elif self.init:
                loop.tell(f"going on from the state in {self.folder}, not from {self.init}: --fresh begins anew")
            if self.tensorboard:
                loop.observers.append(Board(self.folder / "tensorboard", loop.step))
        finished = loop.run()
        usable = not kind.refused(tables)
        if usable and judges and ranks.first:
            loop.log(**kind.judge(self.folder / STATE, tables, pictures, judges))
        if finished:
            loop.tell(self.ending(loop, usable))
        return finished

    def ending(self, loop: Loop, usable: bool) -> str:
        """What a finished run has reached, and what to do next."""
        reached = f"trained for {loop.seconds / 60:.3g} minutes, {loop.step} steps"
        if math.isfinite(loop.loss):
            reached += f"; loss {loop.loss:.4g} at the end"
        next_command = shlex.join(
            ["calotype", "export", str(self.folder), "--data", self.data, "-o", f"weights/{self.folder.name}"]
        )
        return f"{reached}\nnext: {next_command}" if usable else f"{reached}\nthe log is in {self.folder}/log.jsonl"


@dataclass(frozen=True)
class Trained:
    """A state of a run, opened to be measured or exported.

    Attributes:
        name: of the recipe.
        tables: of the recipe.
        kind: what it says is trained.
        state: the file.
        pictures: that it was trained on.
    """

    name: str
    tables: Mapping[str, Any]
    kind: Kind
    state: Path
    pictures: PictureCache

    @classmethod
    def open(cls, folder: Path, state: str, recipe: str | None, data: str, megapixels: float) -> Trained:
        """The named state in a run's folder; the recipe is the run's own unless another is named.

        Raises:
            CalotypeError: there is no such state, recipe or data.
        """
        name = str(recipe or recipe_of(folder))
        tables = load_recipe(name)
        kind = kind_of(tables)
        if not (folder / state).is_file():
            raise CalotypeError(
                f"there is no state of a training run at {folder / state}: train first, or name another with --state"
            )
        return cls(name, tables, kind, folder / state, open_pictures(data, folder.parent / "cache", megapixels))
