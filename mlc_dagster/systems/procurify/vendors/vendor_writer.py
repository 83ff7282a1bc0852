"""Procurify's vendors: read whole, matched with suppliers of IFS, and written only where that is switched on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from mlc_dagster.core.difference_kinds import DELETED_IN_THE_TARGET
from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected
from mlc_dagster.core.outcomes import Begun, Delivered, Draft, Outcome, Refused, Saved, Seen, Unanswered
from mlc_dagster.core.shown_values import kept_otherwise, shown_otherwise
from mlc_dagster.systems.procurify.api import Document, ProcurifyApi
from mlc_dagster.systems.procurify.documents.document_values import text
from mlc_dagster.systems.procurify.endpoints import Endpoints
from mlc_dagster.systems.procurify.records import Vendor
from mlc_dagster.systems.procurify.vendors.read_back import expected_vendor, seen_vendors, shown_vendor
from mlc_dagster.systems.shared.countries import COUNTRIES, country_code
from mlc_dagster.systems.shared.saving import rule_of
from mlc_dagster.systems.shared.supplier_match import CodeNames, SupplierMatch, folded_name

REGULAR = 4
SHARED = ("name", "country", "email", "currency_code")
"""What a vendor and a supplier both keep, by the names of the ERP's record."""
MATCHED = "vendor_is_matched"
NO_SUPPLIERS = (1, 2, 5, 6, 8)
"""Types: placeholder, punchout, employee, card provider, pending."""


def vendor_values(row: Document, currencies: Mapping[str, str]) -> dict[str, Any]:
    """The values of records.VendorRow. Procurify names a currency by its id."""
    mails = row.get("email") or []
    term = row.get("payment_term_ref") or {}
    return {
        "vendor_id": text(row.get("id")),
        "name": text(row.get("name")),
        "is_active": row.get("active") is not False,
        "type": row.get("type"),
        "external_id": text(row.get("external_id")),
        "email": text(mails if isinstance(mails, str) else next(iter(mails), None)),
        "country": text(row.get("country")),
        "currency": currencies.get(str(row.get("currency"))),
        "payment_terms": text(term.get("name")),
        "last_modified": row.get("dateModified"),
    }


class VendorWriter:
    """Saves suppliers of IFS as vendors: only what Procurify is to take is sent; even an empty change moves
    dateModified.
    """

    def __init__(self, api: ProcurifyApi, endpoints: Endpoints) -> None:
        self._api, self._endpoints = api, endpoints

    def all(self) -> list[Document]:
        """Every active vendor, read at most once a minute: the list cannot be asked what changed."""
        return self._api.kept(self._endpoints.vendors, order_by="id")

    def of(self, ids: Sequence[str]) -> Iterator[Document]:
        """Vendors by their ids: the list has active ones alone, and the others are asked for one by one."""
        listed = {str(row["id"]): row for row in self.all()}
        for each in ids:
            if (row := listed.get(each) or self._one(each)) is not None:
                yield row

    def _one(self, vendor_id: str) -> Document | None:
        try:
            return self._api.one(self._endpoints.vendor, vendor_id)
        except RecordRejected as error:
            if error.status != 404:
                raise
            return None

    def currencies(self) -> dict[str, str]:
        """Id -> ISO code."""
        return {str(row["id"]): str(row["name"]) for row in self._api.kept(self._endpoints.currencies)}

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """The list read anew, and by id what it does not show. Raises as ReadsBack.read_back."""
        rows = self._api.listed(self._endpoints.vendors, "id", order_by="id")
        return seen_vendors(rows, self._by_id, self.currencies(), delivered)

    def _by_id(self, number: str) -> Document | None:
        try:
            return self._api.one(self._endpoints.vendor, number)
        except RecordRejected as error:
            if error.status != 404:
                raise
            return None

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. The list is read anew: who writes must not trust what is a minute old."""
        index = _VendorIndex(self._api.listed(self._endpoints.vendors, "id", order_by="id"))
        taken: dict[str, str] = {}  # vendor's id -> supplier that got it in this batch
        for draft in drafts:
            try:
                yield from self._saved(draft, index, taken)
            except RecordRejected as error:
                yield Refused(draft, error.message, rule_of(error))
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _saved(self, draft: Draft, index: _VendorIndex, taken: dict[str, str]) -> Iterator[Outcome]:
        vendor: Vendor = draft.record
        found = index.find(vendor, draft.remote_id)
        if len(found) > 1:
            named = " and ".join(str(row["id"]) for row in found)
            cure = "Enter the supplier number as external id of the right one."
            yield Refused(draft, f"Vendors {named} of Procurify may be supplier {vendor.key}. {cure}", MATCHED)
        elif draft.remote_id and not draft.anew and not index.is_linked(vendor, draft.remote_id):
            yield Refused(draft, self._why_unlisted(draft.remote_id, vendor.key), DELETED_IN_THE_TARGET)
        elif not found:
            yield from self._created(draft)
        elif taken.setdefault(str(found[0]["id"]), vendor.key) != vendor.key:
            number = str(found[0]["id"])
            reason = f"Vendor {number} of Procurify fits suppliers {taken[number]} and {vendor.key}."
            yield Refused(draft, f"{reason} Enter the number of the right one as its external id.", MATCHED)
        else:
            yield from self._changed(draft, found[0])

    def _why_unlisted(self, number: str, supplier: str) -> str:
        """Of a vendor that was linked: the list has active ones alone, and a deactivated one loses its external id."""
        if (row := self._by_id(number)) is None:
            return f"Vendor {number}, which stands for supplier {supplier}, is gone from Procurify, or not to be seen."
        state = "is deactivated" if row.get("active") is False else "is not listed"
        cure = f"Activate it there, or enter {supplier} as external id of the vendor that takes its place."
        return f"Vendor {number}, which stands for supplier {supplier}, {state} in Procurify. {cure}"

    def _created(self, draft: Draft) -> Iterator[Outcome]:
        vendor: Vendor = draft.record
        if not vendor.may_create:
            reason = f"No vendor of Procurify has external id {vendor.key}, or this name and country."
            yield Refused(draft, f"{reason} Enter it there, or set procurify.create_vendors.", MATCHED)
            return
        match = self._match(draft, None)
        new: dict[str, Any] = {"name": vendor.name, "email": [], "type": REGULAR, "overall_score": None}
        told = {"external_id": vendor.key, **self._on_the_wire(match.ours, None)}
        made = self._api.post(self._endpoints.vendors, {**new, **told})
        yield Begun(draft, str(made["id"]))  # found by it again, should its external id not have been kept
        yield self._kept(draft, told, made) or self._saved_as(draft, match, made, "created")

    def _changed(self, draft: Draft, row: Document) -> Iterator[Outcome]:
        match = self._match(draft, row)
        number = {"external_id": draft.record.key} if row.get("external_id") != draft.record.key else {}
        differs = {**number, **self._on_the_wire(match.written, row)}
        if not differs:
            yield self._saved_as(draft, match, row, "adopted")
            return
        changed = self._api.patch(self._endpoints.vendor, row["id"], differs)
        yield self._kept(draft, differs, changed) or self._saved_as(draft, match, changed, "updated")

    def _kept(self, draft: Draft, sent: Mapping[str, Any], row: Document) -> Refused | None:
        """Procurify drops in silence what the role may not write: a 2xx alone proves nothing."""
        lost = [
            f"{name} is {row.get(name)!r}" for name, value in sent.items() if not _is_kept(name, value, row.get(name))
        ]
        if not lost:
            return None
        reason = f"Procurify took vendor {row.get('id')}, and did not keep all of it: {', '.join(lost)}."
        return Refused(draft, f"{reason} May the application's user write that? Enter it there by hand, else.")

    def _match(self, draft: Draft, row: Document | None) -> SupplierMatch:
        """Raises DisagreementError where a person must decide."""
        vendor: Vendor = draft.record
        ours = {name: value for name in SHARED if (value := getattr(vendor, name))}
        return SupplierMatch(draft, CodeNames("Procurify"), ours, _shared(row, self.currencies()) if row else {})

    def _saved_as(
        self, draft: Draft, match: SupplierMatch, row: Document, action: Literal["created", "updated", "adopted"]
    ) -> Saved:
        """Procurify moves dateModified with every call: it tells nothing of a single field."""
        now, number = _shared(row, self.currencies()), str(row["id"])
        agreed = match.agreed_values(now, "", f"procurify-vendor-{number}", wrote=action != "adopted")
        other = shown_otherwise(expected_vendor(draft.record), shown_vendor(row, self.currencies()))
        other = match.without_taken(other, {"currency_code": "currency"})
        return Saved(draft, number, action, detail=draft.record.name or "", agreed=agreed, shown=other)

    def _on_the_wire(self, values: Mapping[str, str], row: Document | None) -> dict[str, Any]:
        """What IFS has a value for; mail addresses that people added stay, behind ours."""
        ids = {name: int(number) for number, name in self.currencies().items()}
        others = [each for each in (row or {}).get("email") or [] if each != values.get("email")]
        on_the_wire: dict[str, Any] = {
            "name": values.get("name"),
            "country": COUNTRIES.get(values.get("country", "")),
            "email": [values["email"], *others] if values.get("email") else None,
            "currency": ids.get(values.get("currency_code", "")),
        }
        return {name: value for name, value in on_the_wire.items() if value}


def _is_kept(name: str, sent: Any, there: Any) -> bool:
    """As it was sent; a name or a mail address in other letters, or cut at its end, is no loss."""
    if name == "email" and isinstance(there, list):
        return len(sent) == len(there) and all(
            one == other or kept_otherwise(one, other) for one, other in zip(sent, there, strict=True)
        )
    return bool(sent == there) or (name == "name" and kept_otherwise(sent, there))


def _shared(row: Document, currencies: Mapping[str, str]) -> dict[str, str]:
    """The shared fields in the ERP's words. A country that is none that we know is left out: nothing is said of it."""
    mails = row.get("email") or [""]
    country = country_code(row.get("country"))
    known = {"country": country or ""} if country or not text(row.get("country")) else {}
    currency = currencies.get(str(row.get("currency")), "")
    return {"name": row.get("name") or "", "email": mails[0], "currency_code": currency, **known}


class _VendorIndex:
    """The vendors that can be suppliers, by what tells them apart."""

    def __init__(self, rows: Sequence[Document]) -> None:
        self._by_id: dict[str, Document] = {}
        self._by_number: dict[str, list[Document]] = defaultdict(list)
        self._by_name: dict[tuple[str, str | None], list[Document]] = defaultdict(list)
        for row in rows:
            self._by_id[str(row["id"])] = row
            if row.get("type") in NO_SUPPLIERS:
                continue
            if number := text(row.get("external_id")):
                self._by_number[number].append(row)
            else:
                self._by_name[folded_name(row.get("name")), country_code(row.get("country"))].append(row)

    def is_linked(self, vendor: Vendor, remote_id: str) -> bool:
        """Whether the vendor that was linked is listed, or a person gave the supplier's number to another one."""
        return remote_id in self._by_id or bool(self._by_number.get(vendor.key))

    def find(self, vendor: Vendor, remote_id: str | None) -> Sequence[Document]:
        """By what is known already, by the supplier's number, by exact name and country: the first that finds any."""
        if remote_id in self._by_id:
            return [self._by_id[remote_id or ""]]
        by_name = self._by_name.get((folded_name(vendor.name), vendor.country), ()) if vendor.country else ()
        return self._by_number.get(vendor.key) or by_name
