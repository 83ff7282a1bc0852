"""What an invoice's line of the ERP comes to, in the invoice's own currency. Pure."""

from __future__ import annotations

from decimal import Decimal

from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.ifs.line_records import PostingProposalLine
from mlc_dagster.systems.ifs.records import PostingProposal


def in_invoice_currency(proposal: PostingProposal, line: PostingProposalLine, facts: Facts) -> Decimal | None:
    """`Amount` is in the company's currency; it stands for the invoice's own where the two are one."""
    company = facts.companies.get(proposal.company)
    own = company is not None and company.currency == proposal.currency_code
    return line.amount if line.currency_amount is None and own else line.currency_amount
