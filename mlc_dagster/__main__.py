"""`python -m mlc_dagster` is `mlc`."""

from mlc_dagster.cli import main

if __name__ == "__main__":
    main()
