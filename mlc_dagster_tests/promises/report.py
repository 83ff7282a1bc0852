"""Tries promises and writes docs/promises.md: `python -m mlc_dagster_tests.promises.report [file] [options of pytest]`.

With tests named it tries these, and what stood of the others stays.
"""

from __future__ import annotations

import os
import sys

import pytest

from mlc_dagster_tests.promises.account import BESIDE, PLACE


def main(words: list[str]) -> int:
    os.environ[PLACE] = words[0] if words else "docs/promises.md"
    if any(".py" in word or "/" in word for word in words[1:]):
        os.environ[BESIDE] = "1"
    return int(pytest.main(["-m", "promise or slow", *words[1:]]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
