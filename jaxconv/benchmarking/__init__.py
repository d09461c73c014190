"""Benchmarking: jaxconv compared with its peers, and each method with the others, on any device.

`jaxconv bench` runs it: `running` goes through the cases, the other files define them. Nothing here is
meant to be imported by programs.
"""
