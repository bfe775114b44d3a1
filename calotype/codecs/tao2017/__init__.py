# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``tao2017``."""
