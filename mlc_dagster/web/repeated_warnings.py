"""What happens in great numbers is one line of the log in a while: how often, and from where; never nothing."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

from mlc_dagster.core.logs import logger

log = logger(__name__)

SENDERS = 1000  # that are counted apart
NAMED = 5
OTHERS = "others"


class Tally:
    """Counts for `seconds` from the first of its kind on, in one event loop; then each kind is told once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, what: str, where: str) -> None:
        """`where` is what the sender, or the proxy, says: it may be anything."""
        if not self._counts:
            asyncio.get_running_loop().call_later(self._seconds, self.tell)
        senders = self._counts[what]
        sender = where[:45]  # the longest IPv6 address
        senders[sender if sender in senders or len(senders) < SENDERS else OTHERS] += 1

    def tell(self) -> None:
        """All that was counted, and begin anew; at the end of the server, too."""
        counts, self._counts = self._counts, defaultdict(Counter)
        for what, senders in counts.items():
            log.warning("%s: %d within %g s, from %s", what, senders.total(), self._seconds, _named(senders))


def _named(senders: Counter[str]) -> str:
    named = ", ".join(f"{sender} ({count})" for sender, count in senders.most_common(NAMED))
    more = len(senders) - NAMED
    return f"{named} and {more} more" if more > 0 else named
