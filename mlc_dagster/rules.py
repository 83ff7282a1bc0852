"""What must be true of a record before it is loaded. Pure: a rule sees the source, the target and the facts.

A rule asks the records only for what it needs, by name: `source.postings()`, `target.skus()`. Any flow whose records
answer can use it. A docstring is what the UI shows; a reason names the code, the line, the company, the date, and what
to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from mlc_dagster.amounts import currency_decimals, round_half_up, times
from mlc_dagster.vocabulary import Facts, Problem

SHOWN = 5
"""How many failures of one record a reason spells out."""

NOT_DELIVERED = "Cancelled"
"""The states that are held where the option `not_delivered_states` (comma separated) says nothing."""


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # all but tab and line ends


class Posting(Protocol):
    """A line's wish to be posted on a GL account of a company, on a date."""

    @property
    def company(self) -> str: ...
    @property
    def account(self) -> str | None: ...
    @property
    def on(self) -> date | None: ...
    @property
    def line(self) -> Any: ...


class AmountLine(Protocol):
    """A line as the target will compute it, beside what the ERP states for it."""

    @property
    def where(self) -> str: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def stated(self) -> Decimal | None: ...


# --- the books: accounts, companies, reference lists ----------------------------------------------------------------


def gl_accounts_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every GL account of the record exists in the ERP's chart, is open on the posting date, and is in the target's."""
    failures = [(p.account or "", why) for p in source.postings() if (why := _account_failure(p, facts))]
    return _problem("gl_accounts_exist", failures)


def _account_failure(posting: Posting, facts: Facts) -> str | None:
    where = f"line {posting.line}: " if posting.line not in (None, "") else ""
    if not posting.account:
        return f"{where}no GL account. Enter one in the ERP."
    named = f"{where}GL account {posting.account} of company {posting.company}"
    account = facts.accounts.get((posting.company, posting.account))
    if account is None:
        return f"{named} is not in the ERP's chart of accounts. Correct the line, or create the account."
    if account.blocked:
        return f"{named} is blocked in the ERP. Unblock it, or post to another account."
    if posting.on is None and (account.valid_from or account.valid_until):
        return f"{named} is valid between dates only, and the record has no posting date. Enter one in the ERP."
    if posting.on and account.valid_from and posting.on < account.valid_from:
        return f"{named} is valid from {account.valid_from}, and the posting date is {posting.on}. Correct one of them."
    if posting.on and account.valid_until and posting.on > account.valid_until:
        return (
            f"{named} was valid until {account.valid_until}, and the posting date is {posting.on}. Correct one of them."
        )
    return _target_account_failure(named, posting, facts)


def _target_account_failure(named: str, posting: Posting, facts: Facts) -> str | None:
    code = facts.account_in_target(posting.account or "")
    if not facts.books.has_chart or code in facts.books.accounts:
        return None
    mapped = f" (there {code}, by gl_accounts)" if code != posting.account else ""
    dated = f", posted {posting.on}" if posting.on else ""
    return (
        f"{named}{mapped}{dated} is not in the target's active chart of accounts. "
        "Create or activate it there, or map it under gl_accounts in mlc.yaml."
    )


def company_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's company is one that mlc.yaml lists."""
    if source.company in facts.companies:
        return None
    if not source.company:
        return Problem("company_is_mapped", "The record has no company. Enter it in the ERP.")
    known = ", ".join(sorted(facts.companies)) or "none"
    reason = f"Company {source.company} is not listed in mlc.yaml (listed: {known}). Add it under companies."
    return Problem("company_is_mapped", reason, source.company)


def payment_term_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The ERP's payment term has a name in the target, and the target knows that name as an active term."""
    code = source.payment_terms
    if not code:
        return Problem("payment_term_is_mapped", "No payment term. Enter one in the ERP: the target needs it.")
    if (name := facts.payment_terms.get(code)) is None:
        reason = f"Payment term {code} has no name in the target. Add it under payment_terms in mlc.yaml."
        return Problem("payment_term_is_mapped", reason, code)
    if name in facts.books.payment_terms:
        return None
    reason = f"Payment term {code} is {name!r} in mlc.yaml, and the target has no active term of that name."
    return Problem("payment_term_is_mapped", f"{reason} Create or activate it there, or correct mlc.yaml.", code)


def tax_rule_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every tax code of the record has a tax rule in the target, active and meant for purchases."""
    failures = [
        (code or "", why) for where, code, rule in target.taxes() if (why := _tax_failure(where, code, rule, facts))
    ]
    return _problem("tax_rule_is_mapped", failures)


def _tax_failure(where: str, code: str | None, rule: str | None, facts: Facts) -> str | None:
    start = f"{where}: " if where else ""
    named = f"tax code {code}" if code else "no tax code, so the default tax rule"
    if not rule:
        return f"{start}{named} has no tax rule in the target. Add it under tax_rules in mlc.yaml."
    if rule not in facts.books.tax_rules:
        return f"{start}{named} is {rule!r} in mlc.yaml, and the target has no active purchase tax rule of that name."
    return None


def products_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every part of the record is a product of the target."""
    failures = [
        (sku, f"{where}: part {sku} is no product of the target. Create the product there with this SKU.")
        for where, sku in target.skus()
        if sku not in facts.books.products
    ]
    return _problem("products_exist", failures)


def location_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The place where the target receives the goods is one of its locations."""
    if target.location in facts.books.locations:
        return None
    reason = f"The target has no location {target.location!r}. Create it there, or correct location in mlc.yaml."
    return Problem("location_exists", reason, target.location)


# --- what must be there first ---------------------------------------------------------------------------------------


def supplier_is_delivered(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's supplier is in the target already."""
    if target.supplier_id:
        return None
    if not target.supplier_no:
        return Problem("supplier_is_delivered", "The record has no supplier. Enter it in the ERP.")
    reason = f"Supplier {target.supplier_no} is not delivered yet. Load it; this record follows by itself."
    return Problem("supplier_is_delivered", reason, target.supplier_no)


def order_is_delivered(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The order that an invoice refers to is in the target already. An invoice without an order is good."""
    if not target.order_no or target.purchase_id:
        return None
    reason = f"Order {target.order_no} is not delivered yet. Load it; this record follows by itself."
    return Problem("order_is_delivered", reason, target.order_no)


def currency_is_the_suppliers(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record is in the currency of its supplier: the target takes the currency from the supplier."""
    if not target.supplier_id:
        return None
    theirs = facts.books.supplier_currency.get(target.supplier_id)
    if theirs is None:
        reason = f"Supplier {target.supplier_no} is not in the target any more ({target.supplier_id}). Load it again."
        return Problem("currency_is_the_suppliers", reason, target.supplier_no)
    if theirs == target.currency:
        return None
    reason = f"The record is in {target.currency}, and supplier {target.supplier_no} is in {theirs} in the target"
    cure = "which books every purchase in the supplier's currency. Use a supplier of that currency."
    return Problem("currency_is_the_suppliers", f"{reason}, {cure}", target.currency or "")


# --- the record itself ----------------------------------------------------------------------------------------------


def is_not_cancelled(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record is in a state that is delivered: not cancelled in the ERP."""
    held = facts.options.get("not_delivered_states", NOT_DELIVERED).split(",")
    if source.obj_state is None or source.obj_state not in {state.strip() for state in held}:
        return None
    reason = f"The record is {source.obj_state} in the ERP. Where the target has it already, cancel it there by hand."
    return Problem("is_not_cancelled", reason, source.obj_state)


def is_not_a_credit_note(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The invoice is not a credit note: the target keeps those elsewhere, and would book it the wrong way round."""
    if source.gross_amount is None or source.gross_amount >= 0:
        return None
    reason = f"The gross amount is {source.gross_amount}: a credit note. Enter it in the target by hand"
    return Problem("is_not_a_credit_note", f"{reason}, and discard this hold.")


def required_fields_are_given(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every field that the target insists on has a value."""
    missing = [name for name, value in target.required() if value is None or value in ("", ())]
    if not missing:
        return None
    reason = f"The target needs: {', '.join(missing)}. Complete the record in the ERP."
    return Problem("required_fields_are_given", reason, missing[0])


def texts_fit(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every text fits the target's field, so that nothing is cut off."""
    failures = [(name, why) for name, text, most in target.texts() if text and (why := _text_failure(name, text, most))]
    return _problem("texts_fit", failures)


def _text_failure(name: str, text: str, most: int) -> str | None:
    if len(text) > most:
        return f"{name} has {len(text)} characters, and the target takes {most}. Shorten it in the ERP."
    if _CONTROL.search(text):
        return f"{name} holds a control character, which the target would drop. Remove it in the ERP."
    return None


def amounts_fit(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every quantity and price fits the target's number fields: digits, decimals, and the least that it takes."""
    failures = [(name, why) for name, *limits in target.numbers() if (why := _number_failure(name, *limits))]
    return _problem("amounts_fit", failures)


def _number_failure(name: str, value: Decimal | None, decimals: int, least: Decimal, most: Decimal) -> str | None:
    if value is None:
        return None
    if not value.is_finite() or not least <= value <= most:
        return f"{name} is {value}, and the target takes {least} to {most}."
    if round_half_up(value, decimals) != value:
        return f"{name} is {value}, and the target takes {decimals} decimals. Change the unit or the price in the ERP."
    return None


def amounts_add_up(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each line is quantity times price, the lines make the total, and the target computes what the ERP states."""
    company = facts.companies.get(getattr(source, "company", ""))
    decimals = currency_decimals(target.currency, company)
    failures = list(_line_failures(target.amount_lines(), decimals)) or list(_total_failures(target.totals()))
    return _problem("amounts_add_up", [("", why) for why in failures])


def _line_failures(lines: Iterable[AmountLine], decimals: int) -> Iterator[str]:
    for line in lines:
        if line.stated is None or line.quantity is None or line.price is None:
            yield f"{line.where}: quantity, price or amount is missing. Complete it in the ERP."
        elif (product := round_half_up(times(line.quantity, line.price), decimals)) != line.stated:
            sum_of_it = f"{line.quantity} x {line.price} = {product}"
            yield f"{line.where}: {sum_of_it}, and the ERP says {line.stated}. Correct it in the ERP."


def _total_failures(totals: Iterable[tuple[str, Decimal | None, Decimal]]) -> Iterator[str]:
    for name, stated, computed in totals:
        if stated is None:
            yield f"{name}: the ERP states none, so there is nothing to compare {computed} with."
        elif stated != computed:
            differs = f"{computed} by the target's arithmetic, and the ERP says {stated}"
            yield f"{name}: {differs}. They differ by {computed - stated}."


def _problem(rule: str, failures: list[tuple[str, str]]) -> Problem | None:
    """One problem for all that fails in a record; its subject is the codes, each once."""
    if not failures:
        return None
    reasons = [reason for _, reason in failures]
    more = f" And {len(reasons) - SHOWN} more." if len(reasons) > SHOWN else ""
    subject = ", ".join(sorted({subject for subject, _ in failures if subject})[:SHOWN])
    return Problem(rule, " ".join(reasons[:SHOWN]) + more, subject)
