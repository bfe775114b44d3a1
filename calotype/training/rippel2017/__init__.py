# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``rippel2017``."""
