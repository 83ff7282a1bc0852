"""Tries all promises and writes docs/promises.md: `python -m mlc_dagster_tests.promises.report [file] [options]`."""

from __future__ import annotations

import os
import sys

import pytest

from mlc_dagster_tests.promises.account import PLACE


def main(words: list[str]) -> int:
    os.environ[PLACE] = words[0] if words else "docs/promises.md"
    return int(pytest.main(["-m", "promise or slow", *words[1:]]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
