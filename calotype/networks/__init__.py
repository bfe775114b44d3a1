# SPDX-License-Identifier: BSD-3-Clause
"""The networks, in PyTorch: one file a paper."""
