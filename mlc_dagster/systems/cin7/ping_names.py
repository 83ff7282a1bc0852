"""What mlc.yaml names of Cin7's books, and whether they have it: in use, there and not in use, or not there at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlc_dagster.core.facts import Books
from mlc_dagster.systems.cin7.api import Cin7Api, Document
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.shared.findings import Finding, Question, wrong
from mlc_dagster.systems.shared.name_suggestions import suggestion


@dataclass(frozen=True)
class ReferenceBook:
    """A reference book: where it is read whole, the field that names its entries, and what may be used of it."""

    what: str
    path: str
    wrapper: str
    usable: frozenset[str]
    name: str = "Name"


def names_in_cin7(question: Question, books: Books, api: Cin7Api) -> Iterator[Finding]:
    """A line for each name that cannot be used. Raises MlcError."""
    section = question.section(Cin7Settings)
    sets = {str(row["Name"]): row for row in api.pages("/ref/attributeset", "AttributeSetList")}
    books_by_kind = {
        "location": ReferenceBook("location", "/ref/location", "LocationList", books.locations),
        "attribute set": ReferenceBook("attribute set", "/ref/attributeset", "AttributeSetList", frozenset(sets)),
        "tax rule": ReferenceBook("tax rule for purchases", "/ref/tax", "TaxRuleList", books.tax_rules),
        "term": ReferenceBook("payment term", "/ref/paymentterm", "PaymentTermList", books.payment_terms),
        "account": ReferenceBook("account to post to", "/ref/account", "AccountsList", books.accounts, "Code"),
    }
    for setting, kind, name in _named(question, section):
        if name not in books_by_kind[kind].usable:
            yield _unusable(setting, name, books_by_kind[kind], api)
    yield from _slot(section, sets)
    yield from _service(section, api)


def _named(question: Question, section: Cin7Settings) -> Iterator[tuple[str, str, str]]:
    """(setting, kind, name), in the order of mlc.yaml."""
    for code, company in question.settings.companies.items():
        if location := company.names_in(question.connection).get("location"):
            yield f"companies.{code}.cin7.location", "location", location
    single = {"location": "location", "attribute_set": "attribute set", "tax_rule": "tax rule"}
    yield from ((f"cin7.{field}", kind, name) for field, kind in single.items() if (name := getattr(section, field)))
    for table, kind in (("payment_terms", "term"), ("tax_rules", "tax rule"), ("gl_accounts", "account")):
        mapped: Mapping[str, str] = getattr(section, table)
        yield from ((f"cin7.{table}.{code}", kind, name) for code, name in mapped.items())


def _unusable(setting: str, name: str, book: ReferenceBook, api: Cin7Api) -> Finding:
    """What is there and not in use is told, and is no mistake of mlc.yaml: what has it is held."""
    said = f"{setting} is {name!r}"
    if any(str(row.get(book.name)) == name for row in api.pages(book.path, book.wrapper)):
        cure = f"Activate it in Cin7, or name another {book.what} in mlc.yaml."
        return Finding("cin7", "mlc.yaml", True, f"{said}, which is not in use in Cin7: what has it is held\n  {cure}")
    fault = f"{said}, and Cin7 has no such {book.what}"
    return wrong(
        "cin7", "mlc.yaml", fault, f"Correct it in mlc.yaml, or make it in Cin7. {suggestion(name, book.usable)}"
    )


def _slot(section: Cin7Settings, sets: Mapping[str, Document]) -> Iterator[Finding]:
    """Cin7 drops a value silently for which the attribute set has no slot: the ERP's key would be lost."""
    slot, slots = f"{section.external_key.removeprefix('Additional')}Name", sets.get(section.attribute_set, {})
    if any(re.fullmatch(r"Attribute\d+Name", name) for name in slots) and not slots.get(slot):
        fault = f"cin7.external_key is {section.external_key!r}, and attribute set {section.attribute_set!r} has no"
        cure = (
            "Give it a name in Cin7, Settings, Reference books, Additional attribute sets; or name another in mlc.yaml."
        )
        yield wrong("cin7", "mlc.yaml", f"{fault} attribute there: Cin7 would drop the ERP's key and say nothing", cure)


def _service(section: Cin7Settings, api: Cin7Api) -> Iterator[Finding]:
    """Charges are named by a service product, and Cin7 makes none by itself. A name's filter is only how it begins."""
    name = section.service_product
    if not name:
        return
    kinds = [str(row.get("Type")) for row in api.pages("/product", "Products", Name=name) if row.get("Name") == name]
    if "Service" not in kinds:
        there = f"is of type {kinds[0]} in Cin7" if kinds else "is no product in Cin7"
        fault = f"cin7.service_product is {name!r}, which {there}: a charge must name a service product"
        yield wrong("cin7", "mlc.yaml", fault, "Make a product of type Service of that name in Cin7, or correct it.")
