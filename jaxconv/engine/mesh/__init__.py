"""Mesh: arrays that are divided over devices.

A convolution becomes one shard's, by `division.py`, `halo.py` and `shard.py`; `arrays.py` does it for
functions of windows and of batches. Nothing is imported from here; import from its files.
"""
