# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``cheng2017``."""
