"""`python -m mlc_dagster` is `mlc`."""

from mlc_dagster.cli.app import main

if __name__ == "__main__":
    main()
