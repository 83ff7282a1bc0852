"""The word of the day: what is on hold and differs, since when, with what money; what is paused, waits, or is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from mlc_dagster.core.amounts import in_text
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.open_item_entries import CauseStock
from mlc_dagster.pipeline.alerting import Opened, Sending, of_route, redacted, routed, tell_once
from mlc_dagster.pipeline.due_causes import by_cause
from mlc_dagster.settings.alerts import AlertRoute, AlertSettings

KIND = "digest"
CAUSES = 15  # that are told one by one: those with most items
Owners = Mapping[str, str]


def daily(ledger: Ledger, also: Iterable[str] = (), only: Collection[str] | None = None) -> tuple[str, str]:
    """Subject and text: of each flow how many are on hold, since when, by which rules; the causes with their money;
    what is paused and waits. `only`: of these flows.
    """
    stock, pauses = ledger.history.stock(), ledger.pauses.standing()
    held = {flow: one for flow, one in stock.items() if _is_in(flow, only)}
    causes = [one for one in ledger.open_items.causes() if only is None or one.flows & set(only)]
    lines = [*_held(ledger, held), *_causes(causes), *_stopped(ledger, pauses, only), *also]
    total, differing = sum(one.holds for one in held.values()), sum(one.items for one in causes if one.cause.differs)
    told = [f"{total or 'nothing'} on hold", f"{differing} differ" if differing else ""]
    subject = ", ".join(filter(None, [*told, f"{', '.join(pauses)} paused" if pauses else ""]))
    return f"mlc: {subject}", "\n".join(lines) or "Nothing is on hold, and nothing is paused."


def money(stock: CauseStock) -> str:
    """1000.00 SEK, 5.000 KWD; empty where no amount is told."""
    sums = ((amount, currency) for currency, amount in sorted(stock.amounts.items()) if amount or currency)
    return ", ".join(f"{in_text(amount, currency)} {currency}".strip() for amount, currency in sums)


def named(stock: CauseStock) -> str:
    """gl_accounts_exist: 4O10 (cin7, company 20)"""
    cause = stock.cause
    where = f"{cause.connection}{f', company {cause.company}' if cause.company else ''}"
    return f"{', '.join(cause.rules)}{f': {cause.value}' if cause.value else ''} ({where})"


def _is_in(flow: str, only: Collection[str] | None) -> bool:
    return only is None or flow in only


def _held(ledger: Ledger, held: Mapping[str, object]) -> Iterator[str]:
    by_flow: dict[str, list[str]] = defaultdict(list)
    for (flow, rule), number in sorted(ledger.count_holds().items(), key=lambda each: -each[1]):
        by_flow[flow].append(f"{rule} {number}")
    stock = ledger.history.stock()
    for flow in sorted(held):
        yield f"{flow}: {stock[flow].holds} since {stock[flow].oldest:%Y-%m-%d} ({', '.join(by_flow[flow])})"


def _causes(causes: Sequence[CauseStock]) -> Iterator[str]:
    """Those that differ, and those with money in them: rules alone are told by flow."""
    told = [one for one in causes if one.cause.differs or money(one)]
    for one in told[:CAUSES]:
        since = f" since {one.oldest:%Y-%m-%d}" if one.oldest else ""
        yield ", ".join(filter(None, (f"{named(one)}: {one.items}{since}", money(one))))
    if len(told) > CAUSES:
        yield f"and {len(told) - CAUSES} more causes"


def _stopped(ledger: Ledger, pauses: Mapping[str, object], only: Collection[str] | None) -> Iterator[str]:
    for name, pause in pauses.items():
        yield f"{pause}{_waiting(ledger, name)}"
    for name, until in sorted(ledger.work.silent().items()):
        yield f"{name} asks to be left alone: waiting until {until:%Y-%m-%d %H:%M} UTC{_waiting(ledger, name)}"
    yield from (each.says() for each in by_cause(task for task in ledger.work.all() if _is_in(task.flow, only)))


def _waiting(ledger: Ledger, connection: str) -> str:
    waiting = sum(task.connection == connection for task in ledger.work.all())
    return f" ({waiting} load{'s wait' if waiting > 1 else ' waits'})" if waiting else ""


# --- who is told ------------------------------------------------------------------------------------------------------


def tell_daily(
    settings: AlertSettings,
    ledger: Opened,
    secrets: Collection[str],
    also: Sequence[str] = (),
    owners: Owners = MappingProxyType({}),
) -> str:
    """What came of it, in a few words. The whole goes to all; what is an owner's, to the routes of `digest` that name
    owners. `owners`: flow -> who is asked about it.
    """
    whole = _tell(routed(settings, KIND), settings, ledger, secrets, also, None)
    for route in settings.routes:
        if KIND in route.kinds and route.owners:
            mine = _flows(route, owners)
            _tell(of_route(route, settings), settings, ledger, secrets, (), mine)
    return whole


def _flows(route: AlertRoute, owners: Owners) -> frozenset[str]:
    return frozenset(flow for flow, owner in owners.items() if owner in route.owners)


def _tell(
    to: AlertSettings,
    settings: AlertSettings,
    ledger: Opened,
    secrets: Collection[str],
    also: Sequence[str],
    only: Collection[str] | None,
) -> str:
    try:
        subject, text = daily(ledger(), also, only)
    except MlcError as error:
        subject, text = "mlc: what is on hold is not known", str(error)
    shown = [redacted(each, ledger, secrets) for each in (subject, text)]
    body = "\n".join(filter(None, (shown[1], str(settings.page_url or settings.ui_url or ""))))
    told: Sending = tell_once(to.model_copy(update={"routes": ()}), ledger, shown[0], lambda _: body, ())
    return told.says(f"told: {subject.removeprefix('mlc: ')}")
