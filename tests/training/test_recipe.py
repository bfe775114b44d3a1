# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with a recipe is said before anything runs, and every recipe that ships is right."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from calotype.errors import CalotypeError
from calotype.training.kinds import kind_of
from calotype.training.recipe import FOLDER, load_recipe
from calotype.training.run import Run


@pytest.mark.parametrize("recipe", sorted(FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_those_that_ship_are_right(recipe: Path) -> None:
    tables = load_recipe(recipe)
    kind_of(tables).check(tables)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ('kind = "tao2017"\n[task]\nloss = "ssim"', "TaskConfig.loss should be one of mse, ms-ssim, .*, not 'ssim'"),
        ('kind = "tao2017"\n[task]\ngradient = "magic"', "gradient should be one of straight-through"),
        ('kind = "tao2017"\n[network]\nvariant = "dense"', "variant should be one of blocks, plain"),
        ('kind = "tao2017"\n[network]\nkernel = 5', "kernel should be one of 2, 3, not 5"),
        ('kind = "toderici2017"\n[network]\nunit = "rnn"', "unit should be one of lstm, alstm, gru, deep"),
        ('kind = "toderici2017"\n[network]\nframework = "both"', "framework should be one of one-shot"),
        ('kind = "ledig2017"\n[perceptual]\nnetwork = "vgg16"', "network should be one of squeezenet, vgg19"),
        ('[loop]\noptimiser = "sgd"', "optimiser should be one of adamw, muon"),
        ("[loop]\nhours = true", "LoopConfig.hours should be float, not True"),
        ("[loop]\nhours = nan", "LoopConfig.hours should be float, not nan"),
        ("[loop]\nhours = []", "LoopConfig.hours should be float"),
        ("[loop]\nhours = -1", "LoopConfig.hours cannot be -1.0"),
        ("[loop]\nbatch = 0", "LoopConfig.batch cannot be 0"),
        ("[loop]\nlearning_rate = inf", "LoopConfig.learning_rate cannot be inf"),
        ("[crop]\nscale_min = 0", "scales above 0"),
        ("[network]\nc1 = 0", "TalbotConfig.c1 cannot be 0"),
        ("[network]\ncontext = [8, 8, -1]", r"TalbotConfig.context cannot be \(8, 8, -1\)"),
        ("[network]\nlambda_min = 2.0", "lambda_min should be above 0 and below lambda_max"),
        ('kind = "ledig2017"\n[network]\nscale = 0', "GeneratorConfig.scale cannot be 0"),
        ('kind = "ledig2017"\n[network]\nscale = 3', "GeneratorConfig.scale should be one of 2, 4, not 3"),
        ('kind = "ledig2017"\n[network]\nkernel = 4', "GeneratorConfig.kernel should be odd, not 4"),
        ('kind = "cheng2017"\n[network]\nscale = 8', "MixtureConfig.scale should be one of 2, 4"),
        ('kind = "rippel2017"\n[network]\nblocks = -1', "RippelConfig.blocks cannot be -1"),
        ('kind = "toderici2017"\n[network]\nencoder = []', r"TodericiConfig.encoder cannot be \(\)"),
        ('kind = "tao2017"\n[network]\nc8 = 0', "Tao2017Config.c8 cannot be 0"),
        ("loop = 3", "the settings of LoopConfig should be a table, not 3"),
        ("kind = []", "there is no kind of network"),
        ("[netwrok]\nc1 = 8", r"has a table \[netwrok\]; there are: loop, network, crop"),
        ('kind = "toderici2017"\n[network]\nunit = "alstm"', "can be exported; to train .* say export = false"),
        ('kind = "toderici2017"\n[network]\nframework = "additive"', "only one-shot networks"),
        ('kind = "tao2017"\n[network]\nstaged = true\nvariant = "fire"', "a staged network has the variant blocks"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(tmp_path: Path, recipe: str, sentence: str) -> None:
    (tmp_path / "mine.toml").write_text(recipe, encoding="utf-8")
    with pytest.raises(CalotypeError, match=sentence):
        Run(str(tmp_path / "mine.toml"), "nowhere", tmp_path / "run", 1.0).check()
    assert not (tmp_path / "run").exists()


def test_what_is_for_the_log_alone_is_trained(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'kind = "toderici2017"\nexport = false\n[network]\nunit = "alstm"', encoding="utf-8"
    )
    Run(str(tmp_path / "mine.toml"), "nowhere", tmp_path / "run", 1.0).check()
