"""What is open by its causes, as lists show it: how many, how much by currency, since when, whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlc_dagster.cli.shared.lookup import settings_here
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.terminal import Terminal, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from mlc_dagster.ledger import Ledger
    from mlc_dagster.ledger.records.open_item_entries import CauseStock, OpenCause, Wanted


def wanted(
    opened: Ledger,
    *,
    flow: str | None = None,
    rule: str | None = None,
    system: str | None = None,
    differs: bool | None = None,
) -> Wanted:
    """What is asked for. `system`: a connection; of flows whose name does not tell theirs, mlc.yaml does."""
    from mlc_dagster.ledger.records.open_item_entries import Wanted
    from mlc_dagster.systems import configuration

    known = configuration.known_flows(settings_here()) if system else {}
    connections = {name: each.spoke for name, each in known.items()}
    return Wanted(flow=flow or "", rule=rule or "", connection=system or "", differs=differs, connections=connections)


def causes_as_json(causes: Sequence[CauseStock]) -> list[dict[str, Any]]:
    """The most items first, as they are listed."""
    return [
        {
            "mark": each.cause.mark,
            "kind": "difference" if each.cause.differs else "hold",
            "rules": list(each.cause.rules),
            "connection": each.cause.connection,
            "company": each.cause.company,
            "value": each.cause.value,
            "items": each.items,
            "flows": sorted(each.flows),
            "owners": sorted(filter(None, each.owners)),
            "oldest": each.oldest.isoformat() if each.oldest else None,
            "amounts": _texts(each.amounts),
        }
        for each in causes
    ]


def totals_as_json(causes: Sequence[CauseStock]) -> dict[str, Any]:
    """Over all causes, and never over currencies."""
    from mlc_dagster.ledger.records.open_items import summed

    oldest = min(filter(None, (each.oldest for each in causes)), default=None)
    told = {"items": sum(each.items for each in causes), "causes": len(causes), "amounts": _texts(summed(causes))}
    return {**told, "oldest": oldest.isoformat() if oldest else None}


def print_causes(causes: Sequence[CauseStock], out: Terminal) -> None:
    from mlc_dagster.ledger.records.open_items import summed

    listed = table("cause", "company", "records", "flows", "amount", "oldest", "owner", title="By cause")
    for each in causes:
        owners = ", ".join(sorted(filter(None, each.owners)))
        flows, worth = ", ".join(sorted(each.flows)), in_a_line(each.amounts)
        cells = (cause_in_words(each.cause), each.cause.company, f"{each.items:,}", flows, worth, _age(each.oldest))
        listed.add_row(*map(plain, (*cells, owners)))
    total = sum(each.items for each in causes)
    listed.add_row("total", "", f"{total:,}", "", plain(in_a_line(summed(causes))), "", "")
    out.print(listed)
    out.print()


def cause_in_words(cause: OpenCause) -> str:
    return f"{', '.join(cause.rules)}{f': {cause.value}' if cause.value else ''} ({cause.connection})"


def in_a_line(amounts: Mapping[str, Decimal]) -> str:
    """1,200.00 SEK, 1.250 KWD: every digit, with as many decimals as each currency has at least."""
    from mlc_dagster.core.amounts import currency_decimals, round_half_up

    told = []
    for currency, amount in sorted(amounts.items()):
        rounded = round_half_up(amount, currency_decimals(currency, None))
        told.append(f"{rounded if rounded == amount else amount:,f} {currency or '(currency not told)'}")
    return ", ".join(told)


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in sorted(amounts.items())}


def _age(oldest: datetime | None) -> str:
    if oldest is None:
        return ""
    seconds = int((datetime.now(UTC) - oldest).total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600, max(0, seconds // 60)
    return f"{days} days" if days > 1 else f"{hours} h" if hours else f"{minutes} min"
