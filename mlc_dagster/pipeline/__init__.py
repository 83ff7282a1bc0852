"""A row's journey as plain functions: prepare() maps and judges, load() delivers and remembers."""

from mlc_dagster.pipeline.batches import Slice
from mlc_dagster.pipeline.decisions import NOT_DISCARDED, Discarded
from mlc_dagster.pipeline.healing import judge_in_time
from mlc_dagster.pipeline.load import ACCEPTED, ANSWERED, Loaded, load
from mlc_dagster.pipeline.prepare import BUILT_IN, MAPPABLE, READABLE, Verdict, hold_all, judge, prepare

__all__ = [
    "ACCEPTED",
    "ANSWERED",
    "BUILT_IN",
    "MAPPABLE",
    "NOT_DISCARDED",
    "READABLE",
    "Discarded",
    "Loaded",
    "Slice",
    "Verdict",
    "hold_all",
    "judge",
    "judge_in_time",
    "load",
    "prepare",
]
