"""Command line: `find`, `learn`, `plan`, `tune`, `calibrate`, `bench`, `lesson` and `explore`.

`shared` holds the Typer application, which each command file registers itself with; `jaxconv.__main__`
runs it. Nothing here is meant to be imported by programs.
"""
