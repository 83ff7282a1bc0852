"""What moves between IFS Cloud and Tally Books, and what becomes of it on the way. Pure."""

from decimal import Decimal

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import ENTRIES, JournalEntry, JournalEntryLine
from tally_books.records import JOURNALS, SUPPLIERS, Journal, JournalLine, Supplier

MARK = "tally-journal-"
"""What the external references of vouchers begin with."""


def supplier_from_supplier(supplier: ifs.Supplier, facts: Facts) -> Supplier:
    """A supplier of the ERP, under its number."""
    return Supplier(external_ref=supplier.supplier_id, name=supplier.name, currency=supplier.currency_code)


def entry_from_journal(journal: Journal, facts: Facts) -> JournalEntry:
    """A journal becomes a voucher of the type that mlc.yaml names."""
    return JournalEntry(
        external_ref=facts.reference(MARK, journal.id),
        company=journal.company or "",
        currency=journal.currency,
        text=f"Tally journal {journal.id}",
        voucher_type=facts.options["voucher_type"],
        voucher_date=journal.posted_on,
        lines=tuple(_posted(line, journal.currency, facts) for line in journal.lines),
    )


def _posted(line: JournalLine, currency: str | None, facts: Facts) -> JournalEntryLine:
    return JournalEntryLine(
        account=facts.account_in_erp(line.account) if line.account else None,
        debit_amount=line.debit,
        credit_amount=line.credit,
        currency_code=currency,
        currency_amount=(line.debit or Decimal(0)) - (line.credit or Decimal(0)),
    )


def currency_is_the_companys(source: Journal, target: JournalEntry, facts: Facts) -> Problem | None:
    """The journal is in the currency of its company: Tally Books tells no rate to post another one at."""
    company = facts.companies.get(target.company)
    if company is None or source.currency == company.currency:
        return None
    reason = f"The journal is in {source.currency}, company {company.code} in {company.currency}. Enter it by hand."
    return Problem("currency_is_the_companys", reason, source.currency or "")


def only_closed(journal: Journal, facts: Facts) -> str:
    return "" if journal.status == "closed" else f"its status is {journal.status or '(none)'}"


FLOWS = (
    Flow(
        "tally/suppliers",
        ifs.SUPPLIERS,
        SUPPLIERS,
        supplier_from_supplier,
        rules=(rules.required_fields_are_given, rules.texts_fit),
        checks_accounts=False,
        description="Suppliers of IFS in Tally Books, under the ERP's number.",
    ),
    Flow(
        "ifs/vouchers_from_tally",
        JOURNALS,
        ENTRIES,
        entry_from_journal,
        rules=(
            rules.company_is_mapped,
            currency_is_the_companys,
            rules.gl_accounts_exist,
            rules.voucher_balances,
            rules.period_is_open,
            rules.required_fields_are_given,
        ),
        scope=only_closed,
        marks=MARK,
        description="Closed journals of Tally Books as vouchers of IFS, each once.",
    ),
)
