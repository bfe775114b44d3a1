# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``ledig2017``."""
