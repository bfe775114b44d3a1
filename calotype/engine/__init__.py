# SPDX-License-Identifier: BSD-3-Clause
"""The ground of every codec: bundles of weights, graphs, entropy coding, tiles and windows."""
