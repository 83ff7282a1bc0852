"""Do the vouchers in the sandboxed ERP balance, and say what Airbase spent, to the cent and currency by currency?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, key_text
from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.airbase.spend.records import ACKNOWLEDGEMENTS
from mlc_dagster.systems.ifs.entry_records import ENTRIES
from mlc_dagster.systems.ifs.records import VOUCHERS

_KEYS = ("Company", "VoucherType", "AccountingYear", "VoucherNo")
_COMPARED = (
    ("Account", "account"),
    ("CodeB", "code_b"),
    ("DebitAmount", "debit_amount"),
    ("CreditAmount", "credit_amount"),
    ("CurrencyCode", "currency_code"),
    ("CurrencyAmount", "currency_amount"),
)


def disagreements(compared: Compared) -> Iterator[str]:
    """One line for each difference between the ERP's vouchers, what was delivered, and what Airbase holds."""
    erp, airbase = compared.state(ERP), compared.state("airbase")
    vouchers = {key_text(*(row[name] for name in _KEYS)): row for row in erp["documents"][VOUCHERS.path]}
    yield from (f"voucher {key} does not balance: {why}" for key, row in vouchers.items() if (why := _unbalanced(row)))
    ours = [flow for flow in compared.flows if flow.source.system == "airbase"]
    entered = [flow for flow in ours if flow.target.name == ENTRIES.name]
    for flow in entered:
        documents = {row["airbase_id"]: row for row in airbase[flow.source.path]}
        yield from _of_flow(flow, compared, vouchers, documents)
    delivered = {flow.name: compared.delivered(flow) for flow in compared.flows}
    yield from _strangers(vouchers, [delivered[flow.name] for flow in entered])
    yield from _unsaid([flow for flow in ours if flow.target.name == ACKNOWLEDGEMENTS.name], delivered, airbase)


def _unbalanced(voucher: Document) -> str:
    debit, credit = (
        sum((row[name] or Decimal(0) for row in voucher["VoucherRows"]), Decimal(0))
        for name in ("DebitAmount", "CreditAmount")
    )
    return "" if debit == credit else f"debit {debit}, credit {credit}"


def _of_flow(
    flow: Flow, compared: Compared, vouchers: Mapping[str, Document], documents: Mapping[str, Document]
) -> Iterator[str]:
    yield from compared.doubled(flow, "a voucher")
    newest = {key: record for key, _, record in compared.newest(flow)}
    spent, booked = Counter[str](), Counter[str]()
    for key, remote_id in compared.delivered(flow).items():
        voucher, document = vouchers.get(remote_id), documents[key]
        if voucher is None:
            yield f"{flow.name} {key}: the ERP does not have voucher {remote_id}"
            continue
        if key in newest and (fault := _difference(newest[key], voucher)):
            yield f"{flow.name} {key}: {fault}"
        currency = document["currency"]["iso_code"]
        spent[currency] += Decimal(document["total_amount"])  # type: ignore[assignment]
        booked[currency] -= voucher["VoucherRows"][-1]["CurrencyAmount"]  # the side that all lines stand against
    if spent != booked:
        yield f"{flow.name}: Airbase spent {dict(spent)}, the vouchers say {dict(booked)}"


def _difference(record: Any, voucher: Document) -> str:
    theirs = [tuple(row[name] for name, _ in _COMPARED) for row in voucher["VoucherRows"]]
    ours = [tuple(getattr(line, name) for _, name in _COMPARED) for line in record.lines]
    if voucher["ExternalRef"] != record.external_ref:
        return f"ExternalRef is {voucher['ExternalRef']}, delivered was {record.external_ref}"
    return "" if theirs == ours else f"rows are {theirs}, delivered were {ours}"


def _strangers(vouchers: Mapping[str, Document], delivered: Sequence[Mapping[str, str]]) -> Iterator[str]:
    known = {remote_id for each in delivered for remote_id in each.values()}
    for key, row in vouchers.items():
        if str(row["ExternalRef"] or "").startswith("airbase-") and key not in known:
            yield f"the ERP holds voucher {key} for {row['ExternalRef']} that no flow delivered"


def _unsaid(flows: Sequence[Flow], delivered: Mapping[str, Mapping[str, str]], airbase: Document) -> Iterator[str]:
    """What was acknowledged carries the key of its voucher."""
    for flow in flows:
        rows = {row["airbase_id"]: row for row in airbase[flow.source.path]}
        for key in delivered[flow.name]:
            voucher = next((delivered[needed][key] for needed in flow.needs if key in delivered[needed]), None)
            if (said := rows[key]["erp_reference_id"]) != voucher:
                yield f"{flow.name} {key}: Airbase says {said}, the ledger has {voucher}"
