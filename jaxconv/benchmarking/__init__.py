"""Benchmarks: jaxconv beside its peers, every method beside the others, on any device."""
