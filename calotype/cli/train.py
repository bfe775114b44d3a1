# SPDX-License-Identifier: BSD-3-Clause
"""``calotype train`` and ``calotype export``: from photographs to the weights of a codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import DependencyError
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

    from ..networks.talbot import TalbotConfig
    from ..training.data import CropConfig, PictureCache, find_pictures, readable
    from ..training.klt import start_as_klt
    from ..training.loop import Loop, LoopConfig
    from ..training.recipe import configure, load_recipe
    from ..training.talbot import TalbotTask, initialise, make_network

    tables = load_recipe(recipe)
    folder = run or Path("runs") / Path(recipe).stem
    if threads:
        torch.set_num_threads(threads)
    config = configure(LoopConfig, tables.get("loop", {}), hours=hours)
    crop = configure(CropConfig, tables.get("crop", {}))
    torch.manual_seed(config.seed)
    network = make_network(configure(TalbotConfig, tables.get("network", {})))
    # What could be wrong with the arguments is found before anything that takes long.
    new = fresh or not (folder / "state.pt").exists()
    if new and init:
        initialise(network, init)
    judges = readable(find_pictures(validation)) if validation else []
    pictures = PictureCache(data, folder.parent / "cache")
    if new and not init:
        start_as_klt(network, pictures)
    Loop(TalbotTask(network, pictures, crop, judges), config, folder, resume=not fresh).run()


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
    from ..networks.talbot import TalbotConfig
    from ..training.data import PictureCache
    from ..training.export import export_run
    from ..training.recipe import configure, load_recipe

    config = configure(TalbotConfig, load_recipe(recipe).get("network", {}))
    digest = export_run(run / state, config, PictureCache(data, run.parent / "cache"), output)
    typer.echo(f"{output}: {digest}")
