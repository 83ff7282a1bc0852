"""A trial as it is shown: five steps, and what would follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.cli.shared.tables import shortened, table
from mlc_dagster.core.bank_details import without, without_in_text
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.terminal import Terminal, plain
from mlc_dagster.pipeline.trial import Trial
from mlc_dagster.transport.shadow import WouldSend

LINES = 60
"""Of a request's body."""


def document(trial: Trial, flow: Flow, rules: Mapping[str, str]) -> dict[str, Any]:
    """Plain JSON."""
    request = trial.request
    return {
        "flow": flow.name,
        "key": trial.key,
        "partition": trial.partition,
        "row": _plain(trial.row),
        "record": _plain(trial.record),
        "rules": [{"rule": rule, "words": words, "ok": rule not in _broken(trial)} for rule, words in rules.items()],
        "problems": [{"rule": each.rule, "reason": each.reason} for each in trial.problems],
        "does": trial.step.does,
        "why": trial.step.why or trial.without_a_write,
        "request": None if request is None else {"call": f"{request.method} {request.path}", "body": _body(request)},
    }


def show(trial: Trial, flow: Flow, rules: Mapping[str, str], out: Terminal) -> None:
    """Row, record, rules, what the ledger says, the request."""
    _head(out, 1, "Row", f"{'/'.join(flow.source.key)} {trial.key}, of {trial.partition}")
    _fields(trial.row, out, f"it could not be read: {trial.step.why}")
    _head(out, 2, "Record", f"as {flow.name} has it")
    _fields(trial.record, out, f"none is made of it: {trial.step.why or 'it cannot be mapped'}")
    broken = _broken(trial)
    _head(out, 3, "Rules", f"{len(rules)} asked, {len(rules) - len(broken)} kept")
    for each in trial.problems:
        out.print(f"   [red]no[/]  {plain(each.rule)}: {plain(each.reason)}", soft_wrap=True)
    if not broken:
        out.print(f"   [green]ok[/]  {', '.join(rules)}", highlight=False)
    _head(out, 4, "Ledger", _standing(trial))
    _head(out, 5, "Request", _call(trial))
    if trial.request is not None:
        _print_body(trial.request, out)


def _head(out: Terminal, number: int, title: str, words: str) -> None:
    out.print(f"[bold]{number} {title}[/]  {plain(words)}", soft_wrap=True)


def _fields(record: Any, out: Terminal, nothing: str) -> None:
    if record is None:
        out.print(f"   {plain(nothing)}", soft_wrap=True)
        return
    listed = table("", "")
    listed.show_header = False
    for name, value in _plain(record).items():
        if value not in (None, "", []):
            listed.add_row(f"   {name}", plain(shortened(_text(value), 400)))
    out.print(listed)


def _plain(record: Any) -> Any:
    """Bank details are never shown whole."""
    return None if record is None else without(msgspec.to_builtins(record))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _broken(trial: Trial) -> set[str]:
    return {each.rule for each in trial.problems}


def _standing(trial: Trial) -> str:
    words = {
        "create": "nothing was delivered under this key yet",
        "change": "it was delivered, and differs now",
        "look first": "an earlier attempt has no answer: it is looked for first",
        "nothing": "it was delivered just so: there is nothing to send",
        "stale": "it was delivered, and only the mapping changed since: sent with mlc replay --also-unchanged alone",
        "superseded": "something newer was delivered already",
        "held": "it would be put on hold",
        "discarded": "a person discarded it",
        "out of scope": f"it is no matter of this flow: {trial.step.why}",
    }
    return words[trial.step.does]


def _call(trial: Trial) -> str:
    if trial.request is not None:
        return f"{trial.request.method} {trial.request.path}; what may follow it depends on its answer"
    return trial.without_a_write or "none"


def _body(request: WouldSend) -> Any:
    """JSON as JSON; what is none (a batch of OData) as text."""
    text = request.body.decode("utf-8", errors="replace")
    if "json" in request.media_type:
        return without(json.loads(text, parse_float=Decimal))
    return "\n".join(map(without_in_text, text.splitlines()))


def _print_body(request: WouldSend, out: Terminal) -> None:
    found = _body(request)
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=2, default=str)
    lines = text.splitlines()
    for line in lines[:LINES]:
        out.print(f"   {plain(line)}", highlight=False, soft_wrap=True)
    if len(lines) > LINES:
        out.print(f"   ... and {len(lines) - LINES} lines more: --json has them all")
