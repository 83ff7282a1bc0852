"""Airbase's client from its settings and secret."""

from __future__ import annotations

from mlc_dagster.systems.airbase.api import classify as airbase_answers
from mlc_dagster.systems.airbase.api import signature as airbase_signature
from mlc_dagster.systems.airbase.bills.shape import BillShape
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.endpoints import Endpoints
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.shared.connections import Budgets, budget_name, request_limits, required_secret, secret_name
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.shadow import allowed


def airbase_client(
    settings: AirbaseSettings,
    token: str,
    budgets: Budgets,
    tries: int = 8,
    name: str = "airbase",
) -> AirbaseClient:
    """Airbase's client. Nothing is sent before its first use."""
    required_secret(token, secret_name("AIRBASE_TOKEN", "airbase", name))
    api = ApiClient(
        name,
        settings.base_url,
        auth=airbase_signature(settings.auth_header, settings.auth_scheme, token),
        budget=budgets(budget_name("airbase", settings.base_url, token), settings.requests_per_minute, 60.0),
        **request_limits(settings),
        classify=airbase_answers,
        proof=settings.proof,
        allows=allowed(name, settings.mode),
        max_attempts=tries,
    )
    endpoints = Endpoints(
        **settings.paths.model_dump(),
        vendor_fields_left_out=settings.vendor_fields_left_out,
        vendor_details=settings.tables()["vendor_details"],
        main_address_type=settings.main_address_type,
        bank_details=tuple(filter(None, settings.bank_details.split("."))),
        order_line_fields=tuple(settings.order_line_fields.values()),
        page_size=settings.page_size,
        batch_size=settings.batch_size,
        request_status=settings.request_status,
        ledger_status=settings.ledger_status,
        failed_status=settings.failed_status,
        bill=BillShape(settings.bill_fields, settings.bill_constants),
        order_invoices=settings.order_invoices,
        bill_types=tuple(name for name, kind in settings.types.items() if kind == "bill"),
        request_fields=settings.fields.requests,
        payment_fields=settings.fields.payments,
    )
    return AirbaseClient(api, endpoints, terms=settings.payment_terms)
