"""What a ping says of Cin7's webhooks: one that failed six times is switched off, and nobody is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlc_dagster.core.errors import AccessDenied, MlcError, RecordRejected
from mlc_dagster.systems.cin7.api import Cin7Api, Document
from mlc_dagster.systems.shared.findings import Finding, refused, wrong


def webhooks_in_cin7(api: Cin7Api) -> Iterator[Finding]:
    """One line where there are any, one more for each that is off. Webhooks are of a paid module: who has none is told
    nothing.
    """
    try:
        rows = _rows(api.get("/webhooks"))
    except (AccessDenied, RecordRejected):
        return
    except MlcError as error:
        yield refused("cin7", "webhooks", error)
        return
    off = [row for row in rows if row.get("IsActive") is False]
    if rows:
        yield Finding("cin7", "webhooks", True, f"{len(rows)} webhooks, {len(rows) - len(off)} of them active")
    for row in off:
        fault = f"the webhook {row.get('Type')} to {_host(row.get('ExternalURL'))} is switched off"
        cure = "Cin7 switches one off after six failures. See why, and activate it in Cin7, Integrations, Automation."
        yield wrong("cin7", "webhooks", fault, cure)


def _rows(answer: Any) -> list[Document]:
    """The list, or the first list in an object around it: what that is called is not published."""
    if isinstance(answer, dict):
        answer = next((value for value in answer.values() if isinstance(value, list)), [])
    return [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []


def _host(url: Any) -> str:
    """Without what follows: a secret may stand in it."""
    return "/".join(str(url or "(no address)").split("?")[0].split("/")[:3])
