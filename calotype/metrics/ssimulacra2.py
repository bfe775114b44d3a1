# SPDX-License-Identifier: BSD-3-Clause
"""SSIMULACRA 2: the numbers that define it.

J. Sneyers, "SSIMULACRA 2 - Structural SIMilarity Unveiling Local And Compression Related Artifacts", Cloudinary 2022.
The numbers are those of version 2.1, April 2023, as in the reference implementation of the JPEG XL project.

At each of six scales, the two pictures are taken to the colour space XYB and three maps are made of each channel: loss
of structure (as in SSIM), artefacts (edges where the original has none) and lost detail (the reverse). Of each map two
norms are taken over the picture, the mean and the fourth root of the mean fourth power. The score follows from the
weighted sum of these 3 x 6 x 2 x 3 numbers. NumPy and PyTorch both compute it from the tables here.
"""

from __future__ import annotations

import numpy as np

SCALES = 6  # each half as large as the one before, by 2 x 2 means in linear light
SMALLEST = 8  # pixels: a scale with a shorter side is left out

# Linear sRGB, 0..1, to the responses of the eye's long, medium and short cones (libjxl's opsin absorbance).
OPSIN = np.array([
    [0.30, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.24342268924547819, 0.20476744424496821, 0.55180986650955360],
])  # fmt: skip
BIAS = 0.0037930732552754493  # added to each response before its cube root, whose value at black is then taken off
# From the three roots, less that at black, to X, Y and B, all made positive: X 14 times, B less Y.
XYB = np.array([[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]])
OFFSET = np.array([0.42, 0.01, 0.55])

SIGMA, RADIUS = 1.5, 5  # pixels, of the Gaussian blur, which sees zeros above and below the picture
C2 = 0.0009  # steadies the quotient of structure where the picture is flat

# By channel, scale (finest first) and norm (mean, then fourth): structure, artefacts, lost detail.
# fmt: off
WEIGHTS = np.array([
    [  # X
        [[0.0, 0.0007376606707406586, 0.0], [0.0, 0.0007793481682867309, 0.0]],
        [[0.0, 0.0004371155730107379, 0.0], [1.1041726426657346, 0.00066284834129271, 0.00015231632783718752]],
        [[0.0, 0.0016406437456599754, 0.0], [1.8422455520539298, 11.441172603757666, 0.0]],
        [[0.0007989109436015163, 0.000176816438078653, 0.0], [1.8787594979546387, 10.94906990605142, 0.0]],
        [[0.0007289346991508072, 0.9677937080626833, 0.0],
         [0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053]],
        [[0.0004550992113792063, 0.0, 0.0], [0.0013648766163243398, 0.0, 0.0]],
    ],
    [  # Y
        [[0.0, 0.0, 0.0], [7.466890328078848, 0.0, 17.445833984131262]],
        [[0.0006235601634041466, 0.0, 0.0], [6.683678146179332, 0.00037724407979611296, 1.027889937768264]],
        [[225.20515300849274, 0.0, 0.0], [19.213238186143016, 0.0011401524586618361, 0.001237755635509985]],
        [[176.39317598450694, 0.0, 0.0], [24.43300999870476, 0.28520802612117757, 0.0004485436923833408]],
        [[0.0, 0.0, 0.0], [34.77906344483772, 44.835625328877896, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    ],
    [  # B
        [[0.0, 0.0008680556573291698, 0.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0005313191874358747, 0.0], [0.00016533814161379112, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0004179171803251336, 0.0017290828234722833, 0.0]],
        [[0.0020827005846636437, 0.0, 0.0], [8.826982764996862, 23.19243343998926, 0.0]],
        [[95.1080498811086, 0.9863978034400682, 0.9834382792465353],
         [0.0012286405048278493, 171.2667255897307, 0.9807858872435379]],
        [[0.0, 0.0, 0.0], [0.0005130064588990679, 0.0, 0.00010854057858411537]],
    ],
])
# fmt: on

RAW_SCALE = 0.9562382616834844  # of the weighted sum
POLYNOMIAL = (6.248496625763138e-05, -0.020884521182843837, 2.326765642916932, 0.0)  # of the scaled sum, cube first
POWER = 0.6276336467831387


def blur_taps() -> tuple[float, ...]:
    """The 2 RADIUS + 1 taps of the blur, which sum to 1."""
    taps = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    return tuple(float(tap) for tap in taps / taps.sum())


def score(raw: float) -> float:
    """The score, at most 100, of the weighted sum times RAW_SCALE: 1.6 gives 77, 6.4 gives 47, 24 gives -9."""
    value = float(np.polyval(POLYNOMIAL, raw))
    return 100.0 - 10.0 * value**POWER if value > 0 else 100.0
