# SPDX-License-Identifier: BSD-3-Clause
"""Training, in PyTorch: data, one loop, the tasks of the networks, and export to bundles."""
