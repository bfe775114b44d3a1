# SPDX-License-Identifier: BSD-3-Clause
"""Weights that Calotype no longer ships: installed beside it, they open files of earlier times."""
