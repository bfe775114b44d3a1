# SPDX-License-Identifier: BSD-3-Clause
"""Many pictures on many machines: ``calotype batch``, on Ray Data.

::

    listing   SOURCE -> units of work: some files, a tar shard, a row group of Parquet
    run       units -> Ray Data -> actors on the machines of a cluster, or on the cores of this one
    worker    an actor: reads a unit, makes its outputs, writes them whole, and then a part of the manifest
    manifest  a row for each picture, in Parquet below DESTINATION/_manifest

A unit can be done twice without harm: its outputs and its part of the manifest have the same names the second time. So
Ray may repeat what a lost machine had begun. The packages that this room needs are in the extra ``cluster``.
"""
