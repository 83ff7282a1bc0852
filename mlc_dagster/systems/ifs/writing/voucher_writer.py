"""Journal entries as vouchers in the ERP's books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mlc_dagster.core.outcomes import Draft, Outcome, Saved
from mlc_dagster.core.vocabulary import Row
from mlc_dagster.systems.ifs.entry_records import JournalEntry
from mlc_dagster.systems.ifs.writing.alike_vouchers import alike_vouchers
from mlc_dagster.systems.ifs.writing.document_entry import DocumentWriter, lines_of


class VoucherWriter(DocumentWriter):
    """Vouchers. Of a new one it is told which others have the same amount: the rules have held what names it too."""

    GONE = "is cancelled in IFS, or has left the hold table for the general ledger"

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        new = [draft.record for draft in drafts if not draft.was_delivered and not draft.remote_id]
        alike = {} if self.why_not() else alike_vouchers(self._client, self._kind.entity, new)
        for outcome in super().save(drafts):
            same = alike.get(outcome.draft.record.external_ref, ())
            if isinstance(outcome, Saved) and outcome.action == "created" and same:
                shown = " and ".join(f"{each.number} of {each.on}" for each in same)
                yield replace(outcome, detail=f"{outcome.detail} (of the same amount: {shown})")
            else:
                yield outcome

    def row(self, record: JournalEntry) -> Row:
        return {
            "company": record.company,
            "voucher_type": record.voucher_type,
            "voucher_date": record.voucher_date,
            "accounting_year": record.year(),
            "user_group": record.user_group,
            "text": record.text,
            "external_ref": record.external_ref,
            "lines": lines_of(record),
        }

    def compared(self, record: JournalEntry) -> dict[str, Any]:
        return {"company": record.company, "voucher_type": record.voucher_type, "voucher_date": record.voucher_date}

    def differences(self, record: JournalEntry, row: Row) -> list[str]:
        """Accountants code rows anew; what they come to stays. Read where a voucher is there already, which is rare."""
        if found := super().differences(record, row):
            return found
        whole, _ = self._client.get(self._kind.entity, {name: row[name] for name in self._kind.entity.keys})
        theirs, ours = _debit(whole["lines"]), _debit(lines_of(record))
        return [] if theirs == ours else [f"its debit is {theirs} there and {ours} here"]


def _debit(lines: Sequence[Row]) -> Decimal:
    return sum((line["debit_amount"] or Decimal(0) for line in lines), Decimal(0))
