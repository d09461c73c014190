"""Command line: `jaxconv find`, `learn`, `plan`, `tune`, `calibrate`, `bench` and `lesson`.

`shared` holds the Typer application, which each command file registers itself with; `jaxconv.__main__`
runs it. Nothing here is meant to be imported by programs.
"""
