"""One load of purchases in a process of its own, on a ledger that fails under it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from mlc_dagster import pipeline
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import fingerprint, key_text
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.cin7.flows import FLOWS
from mlc_dagster.systems.configuration import load
from mlc_dagster.systems.ifs.records import PurchaseOrder, PurchaseOrderLine

FLOW = next(flow for flow in FLOWS if flow.name == "cin7/purchases")
ORDERS = 12


def settings_file(folder: Path, url: str) -> Path:
    path = folder / "mlc.yaml"
    content = {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": f"{url}/ifs", "token_url": f"{url}/ifs/token"},
        "cin7": {"base_url": f"{url}/cin7/ExternalApi/v2", "calls_per_minute": 100000},
    }
    path.write_text(yaml.safe_dump(content))
    return path


def loader(config: Path, database: str) -> subprocess.Popen[str]:
    """The load, begun."""
    command = [sys.executable, "-m", "mlc_dagster_tests.promises.loader", str(config), database, str(ORDERS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def marker(purchase: dict[str, Any]) -> str:
    """The ERP's key, as it stands in Cin7."""
    return str(purchase["AdditionalAttributes"]["AdditionalAttribute1"])


def orders(count: int) -> list[PurchaseOrder]:
    return [
        PurchaseOrder(
            order_no=f"P{number}",
            company="0010",
            vendor_no="S1",
            currency_code="SEK",
            total_amount=Decimal(number),
            lines=(
                PurchaseOrderLine(
                    order_no=f"P{number}",
                    line_no="1",
                    release_no="1",
                    description="Service",
                    buy_qty_due=Decimal(1),
                    buy_unit_price=Decimal(number),
                    line_amount=Decimal(number),
                    account="4010",
                ),
            ),
        )
        for number in range(1, count + 1)
    ]


def main(config: str, database: str, count: int) -> None:
    settings, ledger = load(Path(config)), Ledger.open(database)
    assert settings.cin7 is not None
    client = cin7_client(settings.cin7, "sandbox-account", "sandbox-key-1,sandbox-key-2", ledger.budget)
    supplier_id, _ = next(iter(client.books().supplier_currency.items()))
    facts = replace(settings.facts_for("cin7"), delivered={"cin7/suppliers": {key_text("S1"): supplier_id}})
    mapped = [(order, FLOW.mapping(order, facts)) for order in orders(count)]
    ready = [
        Ready(key_text(order.order_no), "2026-11-05T09:00:00.000000Z", fingerprint(purchase), purchase)
        for order, purchase in mapped
    ]
    loaded = pipeline.load(
        FLOW, ready, client, ledger, Run("test", "2026-11-05"), lease_seconds=1.5, longest_request=0.5
    )
    assert loaded.held == 0, loaded.reasons
    print(f"asked={loaded.asked} delivered={loaded.delivered} unchanged={loaded.unchanged}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
