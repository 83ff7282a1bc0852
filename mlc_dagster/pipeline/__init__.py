"""A row's journey as plain functions: prepare() maps and judges, load() delivers and remembers."""

from mlc_dagster.pipeline.load import ACCEPTED, ANSWERED, Loaded, load
from mlc_dagster.pipeline.prepare import BUILT_IN, MAPPABLE, READABLE, Verdict, hold_all, judge, prepare

__all__ = [
    "ACCEPTED",
    "ANSWERED",
    "BUILT_IN",
    "MAPPABLE",
    "READABLE",
    "Loaded",
    "Verdict",
    "hold_all",
    "judge",
    "load",
    "prepare",
]
