"""In which zone a tenant stamps: proven by a row that we made just now. Pure, but for the log.

A stamp that lies ahead of now proves a zone east of the one that mlc.yaml says. To the west a stamp is merely old: only
one whose true moment is known tells. The moment is the server's own, by the Date header of its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from mlc_dagster.core.difference_kinds import STAMPED_IN_ANOTHER_ZONE
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Disagreement, Outcome, Saved
from mlc_dagster.systems.ifs.odata.tenant_time import FARTHEST

QUARTER, LEAST = timedelta(minutes=15), timedelta(minutes=30)
"""Zones are whole quarters of an hour apart, and no two by less than half an hour."""
NEAR = timedelta(minutes=3)
"""So long a create may take."""

log = logger("mlc_dagster.ifs")


class StampProof:
    """What the rows that one client made say of the tenant's clock."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self.said = ""  # what is wrong; empty: nothing that is known
        self._untold: Disagreement | None = None

    def see(self, entity: str, stamp: Any, now: datetime) -> None:
        """`stamp`: of a row that was made at `now`, in UTC as mlc.yaml has it; what is no moment proves nothing."""
        if not isinstance(stamp, datetime) or stamp.time() == stamp.min.time() or self.said:
            return
        by = stamp - now
        shift = QUARTER * round(by / QUARTER)
        if LEAST <= abs(shift) <= FARTHEST and abs(by - shift) <= NEAR:
            self.said = self._words(entity, stamp, now, shift)
            log.error("%s", self.said)
            ours = f"{now:%H:%M} UTC, taken as {self._zone}"
            self._untold = Disagreement(STAMPED_IN_ANOTHER_ZONE, "", ours, f"stamped {stamp:%H:%M}")

    def told(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """What was found stands once as a difference, with the record that proved it, until a person says that it is
        mended: in the list, on the page and in `mlc status`, which outlive this run's log.
        """
        for outcome in outcomes:
            if isinstance(outcome, Saved) and (found := self._untold):
                self._untold = None
                yield replace(outcome, disagreements=(*outcome.disagreements, found))
            else:
                yield outcome

    def _words(self, entity: str, stamp: datetime, now: datetime, shift: timedelta) -> str:
        where = "behind" if shift < timedelta() else "ahead of"
        return (
            f"ifs/{entity}: a row that was made at {now:%H:%M} UTC is stamped {stamp:%H:%M}, "
            f"{abs(shift).total_seconds() / 3600:g} hours {where} the ERP's own clock, taken as {self._zone}: the "
            "tenant stamps in another time zone, and days are cut by stamps. Say its zone in mlc.yaml: ifs.time_zone: "
            "America/New_York"
        )
