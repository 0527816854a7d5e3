"""The command line: one table of commands for `pars`, `python -m ROOM` and `mlflow run . -e`."""
