# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``tao2017``."""
