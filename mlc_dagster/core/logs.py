"""Loggers of the house: a line is a line, whatever the values in it are made of."""

from __future__ import annotations

import logging
from typing import Any

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.inert import inert


def logger(name: str) -> logging.Logger:
    """The logger of this name, below `mlc_dagster`, which dagster.yaml hands to Dagster."""
    found = logging.getLogger(name)
    found.addFilter(_one_line)  # the same filter is added once
    return found


def _one_line(record: logging.LogRecord) -> bool:
    """The words are ours, and only the values are made inert; an error's cure stands behind it."""
    if isinstance(record.args, tuple):
        record.args = tuple(map(_shown, record.args))
    record.msg = inert(str(record.msg))
    return True


def _shown(value: Any) -> Any:
    if isinstance(value, MlcError):
        return inert(f"{value.message}{f' ({value.cure})' if value.cure else ''}")
    return value if isinstance(value, int | float) else inert(str(value))
