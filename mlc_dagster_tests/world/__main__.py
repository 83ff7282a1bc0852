"""`python -m mlc_dagster_tests.world`: what `make world` starts."""

import sys

from mlc_dagster_tests.world.long_run import main

if __name__ == "__main__":
    sys.exit(main())
