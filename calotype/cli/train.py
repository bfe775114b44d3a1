# SPDX-License-Identifier: BSD-3-Clause
"""``calotype train`` and ``calotype export``: from photographs to the weights of a codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import CalotypeError, DependencyError
from .lesson import lesson
from .problems import guarded

TRAIN_HELP = lesson(
    "Train a codec on a folder of photographs.",
    {
        "train talbot --data photos/": "as the recipe that ships says",
        "train talbot --data photos/ --hours 10": "for longer; goes on from the run so far",
        "train my.toml --data photos/ --run runs/mine": "a recipe of your own",
    },
    "The state is saved every few minutes and at Ctrl-C, after the step in progress (a second Ctrl-C stops at once); "
    "the same command goes on from exactly the saved state. With more --hours than before, it goes on from where the "
    "learning rate began to fall.",
    "Without --init a network starts as the Karhunen-Loève transform of the photographs.",
    "One decoded copy of the photographs is kept beside the run (3 bytes a pixel). Needs PyTorch: pip install "
    "calotype\\[train].",
)
EXPORT_HELP = lesson(
    "Make the weights of a training run usable: a bundle that decodes without PyTorch.",
    {"export runs/talbot --data photos/ -o weights/talbot": "then set CALOTYPE_WEIGHTS=weights"},
    "The photographs calibrate the integer networks. The float weights are written beside the bundle, to train on.",
)
Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Photographs, searched recursively.")]


def _need_torch() -> None:
    try:
        import onnx
        import safetensors
        import torch
    except ImportError as error:
        raise DependencyError(f"training needs {error.name}: pip install calotype[train]") from error
    del onnx, safetensors, torch


@guarded
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="The id of a codec, or a .toml file.")],
    data: Data,
    run: Annotated[Path | None, typer.Option(metavar="FOLDER", help="State and log. Default: runs/RECIPE.")] = None,
    init: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Float weights (safetensors) to start from.")
    ] = None,
    validation: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Photographs to validate on.")] = None,
    hours: Annotated[float | None, typer.Option(metavar="H", help="Instead of the recipe's time.")] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=64, help="64 at most. Default: all cores.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew, whatever state there is.")] = False,
) -> None:
    """See :data:`TRAIN_HELP`."""
    _need_torch()
    import torch

    from ..training.data import PictureCache, find_pictures, readable
    from ..training.kinds import kind_of
    from ..training.loop import Loop, LoopConfig
    from ..training.recipe import configure, load_recipe

    tables = load_recipe(recipe)
    kind = kind_of(tables)
    folder = run or Path("runs") / Path(recipe).stem
    if threads:
        torch.set_num_threads(threads)
    config = configure(LoopConfig, tables.get("loop", {}), hours=hours)
    torch.manual_seed(config.seed)
    network = kind.network(tables)
    new = fresh or not (folder / "state.pt").exists()
    # What could be wrong with the arguments is found before anything that takes long.
    if new and init and not init.is_file():
        raise CalotypeError(f"there is no file of weights at {init}")
    judges = readable(find_pictures(validation)) if validation else []
    pictures = PictureCache(data, folder.parent / "cache")
    if new:
        kind.start(network, init, pictures)
    Loop(kind.task(network, tables, pictures, judges), config, folder, resume=not fresh).run()


@guarded
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="The bundle; replaced if there.")],
    recipe: Annotated[str, typer.Option(metavar="RECIPE", help="The recipe of the run.")] = "talbot",
    state: Annotated[str, typer.Option(metavar="NAME", help="Which state of the run.")] = "state.pt",
) -> None:
    """See :data:`EXPORT_HELP`."""
    _need_torch()
    from ..training.data import PictureCache
    from ..training.kinds import kind_of
    from ..training.recipe import load_recipe

    tables = load_recipe(recipe)
    digest = kind_of(tables).export(run / state, tables, PictureCache(data, run.parent / "cache"), output)
    typer.echo(f"{output}: {digest}")
