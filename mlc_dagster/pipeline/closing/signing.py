"""A version of a month end is kept where figures are others; a signature is void where they are not those signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Event, Ledger, Run
from mlc_dagster.ledger.records.close_rows import HAPPENED
from mlc_dagster.ledger.records.closes import Signature, Version
from mlc_dagster.ledger.records.settings_history import SettingsChange
from mlc_dagster.pipeline.closing.figures import CompanyFigures, changed
from mlc_dagster.pipeline.closing.gathering import Gathering

MOST = 20  # figures and lines that the ground of a void signature names


@dataclass(frozen=True)
class Closed:
    """A company's month end as it is kept."""

    figures: CompanyFigures
    version: Version
    signatures: tuple[Signature, ...]  # the newest first
    settings: tuple[SettingsChange, ...]  # of mlc.yaml, from the month's first moment on
    became_void: Signature | None = None  # by what was found just now

    @property
    def signature(self) -> Signature | None:
        """The one that stands."""
        return next((each for each in self.signatures if each.voided_at is None), None)

    def as_json(self) -> dict[str, Any]:
        return {
            **self.figures.as_json(),
            "version": self.version.number,
            "made_at": self.version.made_at.isoformat(),
            "signed": self.signature is not None,
            "signatures": [_signature(each) for each in self.signatures],
            "settings": [_change(each) for each in self.settings],
            "heads": self.version.heads,
        }


def keep(gathering: Gathering, figures: CompanyFigures, run: Run) -> Closed:
    """Keep the version, and void a signature that was given for other figures."""
    ledger, books = gathering.ledger, figures.books
    version = ledger.closes.keep(books, figures.fingerprint, figures.as_json(), ledger.close_rows.heads(), run)
    valid, voided = ledger.closes.valid(books), None
    if valid is not None and valid.fingerprint != figures.fingerprint:
        signed = ledger.closes.version(books, valid.version)
        voided = ledger.closes.void(books, because(gathering, figures, signed), run)
    changes = ledger.settings_history.changes(gathering.month.begins_at)
    return Closed(figures, version, tuple(ledger.closes.signatures(books)), tuple(changes), voided)


def sign(gathering: Gathering, figures: CompanyFigures, who: str, reason: str, run: Run) -> Closed:
    """Raises Misconfigured where it is signed, the month is not over, or something is open and no reason is given."""
    closed, books = keep(gathering, figures, run), figures.books
    if closed.signature is not None:
        raise Misconfigured(
            f"{books} is signed by {closed.signature.who}, version {closed.signature.version}",
            cure="A signature stands until a figure changes.",
        )
    if gathering.ledger.looks.now() < gathering.month.ends_at:
        raise Misconfigured(f"{books} is not over", cure=f"Sign it from {gathering.month.ends_at:%Y-%m-%d} on.")
    if (still := figures.open_in_words()) and not reason.strip():
        cure = 'Solve it, or say why it is signed all the same: --reason "..."'
        raise Misconfigured(f"{books} has something open: {'; '.join(still)}", cure=cure)
    gathering.ledger.closes.sign(books, closed.version, who, reason, run)
    return keep(gathering, figures, run)


def because(gathering: Gathering, figures: CompanyFigures, signed: Version | None) -> str:
    """Which figures changed, and what happened to the month's documents since, by whom."""
    if signed is None:
        return "the version that was signed is not kept any more"
    told = changed(signed.figures, figures.as_json())
    since = list(_since(gathering, figures, signed))
    shown = ["; ".join(told[:MOST]), f"and {len(told) - MOST} more figures" if len(told) > MOST else ""]
    shown.append(f"since then: {'; '.join(since[:MOST])}" if since else "")
    return ". ".join(filter(None, shown))


def _since(gathering: Gathering, figures: CompanyFigures, signed: Version) -> Iterator[str]:
    for each in figures.flows:
        keys, after = gathering.keys(figures.books, each.flow), int(signed.heads.get(each.flow, [0])[0])
        for line in gathering.ledger.close_rows.lines(each.flow, keys, HAPPENED, after):
            by = _started_by(gathering.ledger, each.flow, line.run_id)
            yield f"{line.at:%Y-%m-%d %H:%M} {each.flow} {line.key} {line.event} {line.detail}".rstrip() + by


def _started_by(ledger: Ledger, flow: str, run_id: str) -> str:
    """Of a run who started it; a person's own decision says it itself."""
    started = [one for one in ledger.audit.starts(flow, [run_id], []) if one.event == Event.STARTED]
    return f" (run {run_id[:8]}{f', started by {started[0].detail}' if started else ''})"


def _signature(each: Signature) -> dict[str, Any]:
    voided = each.voided_at.isoformat() if each.voided_at else None
    told = {"who": each.who, "version": each.version, "fingerprint": each.fingerprint, "reason": each.reason}
    return {**told, "signed_at": each.signed_at.isoformat(), "voided_at": voided, "void_because": each.voided_because}


def _change(each: SettingsChange) -> dict[str, Any]:
    return {**each._asdict(), "seen_at": each.seen_at.isoformat(), "changed": list(each.changed)}
