"""The check of a read beside what was delivered: does it still stand in its source?"""

from collections.abc import Sequence

import dagster as dg

from mlc_dagster.core.inert import inert
from mlc_dagster.pipeline import Verdict
from mlc_dagster.pipeline.taken_back import STANDS as STANDS
from mlc_dagster.pipeline.taken_back import WORDS as WORDS


def still_standing(verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    """Of what was read and had been delivered. It does not hold the load: what is new has nothing to do with it."""
    differing, too_many = sum(one.differing for one in verdicts), " ".join(one.too_many for one in verdicts).strip()
    return dg.AssetCheckResult(
        check_name=STANDS,
        passed=not differing and not too_many,
        severity=dg.AssetCheckSeverity.ERROR if too_many else dg.AssetCheckSeverity.WARN,
        description=inert(too_many) or (f"{differing} taken back or changed since" if differing else None),
        metadata={"differing": differing},
    )
