"""Command line: `jaxconv find`, `learn`, `calibrate`, `bench` and `lesson`, one file per command.

`shared` holds the Typer application, which each command file registers itself with; `jaxconv.__main__`
runs it. Nothing here is meant to be imported by programs.
"""
