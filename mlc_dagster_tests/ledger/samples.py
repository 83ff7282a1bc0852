"""Records to put into a ledger, and the answers of a target."""

from mlc_dagster.core.flows import Problem
from mlc_dagster.core.outcomes import Draft, Ready, Refused, Saved, Unanswered
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger.entries import Held, Run
from mlc_dagster.ledger.ledger import Ledger

FLOW = "cin7/purchases"
RUN = Run("run-1", "2026-11-05")


class Order(Record):
    order_no: str


def ready(key: str = "0010/P1", *, day: int = 5, content: str = "a") -> Ready:
    return Ready(key, version(day), f"fingerprint of {content}", Order(order_no=key))


def version(day: int) -> str:
    return f"2026-11-{day:02d}T10:00:00.000000Z"


def draft(record: Ready) -> Draft:
    return Draft(record.key, record.record)


def saved(record: Ready, remote_id: str = "c-1") -> tuple[Ready, Saved]:
    return record, Saved(draft(record), remote_id, "created", detail="PO-00102", link="https://target.test/1")


def refused(record: Ready) -> tuple[Ready, Refused]:
    return record, Refused(draft(record), "the supplier is deprecated")


def unanswered(record: Ready) -> tuple[Ready, Unanswered]:
    return record, Unanswered(draft(record), "no answer in 60 s")


def deliver(ledger: Ledger, *records: Ready, remote_id: str = "c-1", run: Run = RUN) -> None:
    ledger.begin(FLOW, [(record, None) for record in records], run=run)
    ledger.finish(FLOW, [saved(record, remote_id) for record in records], run=run)


def held(key: str = "0010/P1", *, day: int = 5, rule: str = "gl_accounts_exist", partition: str = "2026-11-05") -> Held:
    return Held(key, version(day), (Problem(rule, "unknown account 4711", "4711"),), {"order_no": key}, partition)


def events(ledger: Ledger, key: str = "0010/P1") -> list[str]:
    return [attempt.event.value for attempt in ledger.trail(FLOW, key)]
