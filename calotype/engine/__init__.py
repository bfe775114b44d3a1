# SPDX-License-Identifier: BSD-3-Clause
"""What every codec runs on: bundles of weights, graphs, entropy coding, tiles and windows."""
