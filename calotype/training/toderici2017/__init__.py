# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``toderici2017``."""
