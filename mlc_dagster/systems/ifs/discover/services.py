"""Asks a tenant which services it has and what is in them: the service catalogue where it is granted, else by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal

from mlc_dagster.core.errors import AccessDenied, MlcError, RecordRejected, TransientError
from mlc_dagster.systems.ifs.discover.known_names import Place
from mlc_dagster.systems.ifs.schema.csdl import MetadataModel, UnreadMetadata, read_metadata
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.threads import in_order

ALL_PROJECTIONS, PROJECTIONS = "AllProjections", "Projections"
"""The catalogue of services, some 5,640 of them on one tenant; its columns are not public (facts/ifs-tenants.md, 2)."""

NAME_COLUMNS = ("ProjectionName", "Projection", "Name", "ServiceName")
PAGE, PAGES = 1000, 50
NOT_ACCEPTABLE = (406, 415)
NOT_THERE = (404, 410)

State = Literal["read", "absent", "denied", "refused"]


@dataclass(frozen=True)
class Service:
    """What became of the question for a service's $metadata; `why` in words where it is not read."""

    state: State
    why: str = ""
    model: MetadataModel = field(default_factory=MetadataModel)
    error: MlcError | None = None


@dataclass(frozen=True)
class ServiceCatalogue:
    """The projections that the tenant lists; None where it does not tell them, and why not."""

    names: frozenset[str] | None
    why: str = ""

    def like(self, words: Iterable[str], known: Iterable[str], most: int) -> list[str]:
        """Listed projections with one of these words in their names, those first that are most like the known ones."""
        wanted, known = [word.casefold() for word in words], list(known)
        found = [name for name in self.names or () if any(word in name.casefold() for word in wanted)]
        return sorted(found, key=lambda name: (-_likeness(name, known), name))[:most]


def _likeness(name: str, known: Iterable[str]) -> float:
    return max((SequenceMatcher(None, each, name).ratio() for each in known), default=0.0)


class Services:
    """One tenant's services, each asked once. Reads only. `surfaces`: name of a surface -> its path."""

    def __init__(self, api: ApiClient, base_url: str, surfaces: Mapping[str, str], in_flight: int) -> None:
        self.api, self._base_url, self._surfaces, self._in_flight = api, base_url, surfaces, in_flight
        self._known: dict[tuple[str, str], Service] = {}
        self.catalogue = ServiceCatalogue(None)

    def address(self, place: Place) -> str:
        """Of a service: "https://tenant/main/.../SupplierHandling.svc"."""
        return f"{self._base_url}{self._surfaces[place.surface]}/{place.projection}.svc"

    def begin(self) -> None:
        """Sign in and read the catalogue. Raises the error of a sign-in that failed, or of a tenant out of reach."""
        self.catalogue = self._catalogue()

    def ask(self, places: Iterable[Place]) -> None:
        """Read the $metadata of each service that was not asked yet, several at a time.

        Raises what all met where none of those asked so far answered for itself: a gateway's 401, an outage.
        """
        wanted = [each for each in dict.fromkeys((p.surface, p.projection) for p in places) if each not in self._known]
        found = in_order(lambda each: self._service(Place(each[1], "", each[0])), wanted, self._in_flight)
        self._known.update(zip(wanted, found, strict=True))
        errors = [each.error for each in self._known.values() if each.state == "refused"]
        if errors and len(errors) == len(self._known) and errors[0]:
            raise errors[0]

    def of(self, place: Place) -> Service:
        """What is known of a place's service; asked now where it was not yet."""
        if (place.surface, place.projection) not in self._known:
            self.ask([place])
        return self._known[place.surface, place.projection]

    def _service(self, place: Place) -> Service:
        listed = self.catalogue.names
        if listed is not None and place.surface == "main" and place.projection not in listed:
            return Service("absent", f"the service catalogue does not list {place.projection}")
        try:
            found = self._metadata(f"{self.address(place)}/$metadata")
        except MlcError as error:
            return _refusal(place, error)
        if isinstance(found, UnreadMetadata):
            return Service("refused", f"the $metadata of {place.projection} cannot be read: {found.why}")
        return Service("read", model=found)

    def _metadata(self, address: str) -> MetadataModel | UnreadMetadata:
        """As XML; as JSON where XML is what the server refuses."""
        try:
            return self._read(address, "application/xml")
        except RecordRejected as error:
            if error.status not in NOT_ACCEPTABLE:
                raise
            return self._read(address, "application/json")

    def _read(self, address: str, accept: str) -> MetadataModel | UnreadMetadata:
        return self.api.request("GET", address, headers={"Accept": accept}, decode=read_metadata).value

    def _get(self, address: str, params: Mapping[str, Any]) -> Any:
        return self.api.request("GET", address, params=params).value

    # --- the catalogue ------------------------------------------------------------------------------------------------

    def _catalogue(self) -> ServiceCatalogue:
        place = Place(ALL_PROJECTIONS, PROJECTIONS)
        service = self._service(place)
        if service.state == "denied":
            return ServiceCatalogue(None, service.why)
        try:
            names = _named(self.rows(place, *_columns(service.model)))
        except MlcError as error:
            return ServiceCatalogue(None, _refusal(place, error).why)
        if not names:
            return ServiceCatalogue(None, f"{ALL_PROJECTIONS} lists no projection")
        return ServiceCatalogue(names)

    def rows(self, place: Place, columns: Iterable[str], keys: Iterable[str]) -> list[Mapping[str, Any]]:
        """All rows of a small set; a page that is empty, or that brings nothing new, is the last. Raises MlcError."""
        params = {"$top": str(PAGE), "$select": ",".join(columns) or None, "$orderby": ",".join(keys) or None}
        rows: list[Mapping[str, Any]] = []
        for _ in range(PAGES):
            skip = {"$skip": str(len(rows))} if rows else {}
            found = self._get(f"{self.address(place)}/{place.set}", {**params, **skip})
            page = found.get("value") if isinstance(found, Mapping) else None
            fresh = [row for row in page or () if isinstance(row, Mapping)]
            if not fresh or (rows and fresh[0] == rows[0]):
                break
            rows += fresh
        return rows

    def first_rows(self, place: Place, columns: Iterable[str]) -> list[Mapping[str, Any]]:
        """One row of a set, or none. Raises MlcError."""
        params = {"$top": "1", "$select": ",".join(columns)}
        found = self._get(f"{self.address(place)}/{place.set}", params)
        page = found.get("value") if isinstance(found, Mapping) else None
        if not isinstance(page, list):
            raise TransientError(f"ifs: GET {place}: the answer holds no list of rows")
        return [row for row in page if isinstance(row, Mapping)]


def _columns(found: MetadataModel) -> tuple[list[str], list[str]]:
    """The text columns to ask for, and the key to page by; none where the $metadata does not tell them."""
    if PROJECTIONS not in found.sets:
        return [], []
    kind = found.sets[PROJECTIONS]
    texts = [name for name, its in found.properties_of(kind).items() if its == "Edm.String"]
    named = [name for name in NAME_COLUMNS if name in texts]
    return named or texts, list(found.keys_of(kind))


def _named(rows: list[Mapping[str, Any]]) -> frozenset[str]:
    """The values of the column that holds the names of projections."""
    columns = {name for row in rows for name, value in row.items() if isinstance(value, str) and "@" not in name}
    column = next((name for name in NAME_COLUMNS if name in columns), None)
    if column is None:
        values = {name: {row[name] for row in rows if isinstance(row.get(name), str)} for name in columns}
        column = max(sorted(columns), key=lambda name: sum(_is_service(each) for each in values[name]), default=None)
    found = frozenset(row[column] for row in rows if isinstance(row.get(column), str)) if column else frozenset()
    return frozenset(name for name in found if name.isidentifier())


def _is_service(value: str) -> bool:
    return value.isidentifier() and value.endswith(("Handling", "Entity", "Analysis", ALL_PROJECTIONS))


# --- refusals -------------------------------------------------------------------------------------------------------


def _is_for_all(error: MlcError) -> bool:
    """No other question would be answered either: the sign-in failed, or nobody is there."""
    return "sign-in at " in error.message or "cannot reach " in error.message


def _refusal(place: Place, error: MlcError) -> Service:
    """What a refused $metadata means. Raises what no other service would answer otherwise."""
    if _is_for_all(error):
        raise error
    name = place.projection
    if isinstance(error, RecordRejected) and error.status in NOT_THERE:
        activated = ", or it is not activated in API Explorer" if place.surface != "main" else ""
        return Service("absent", f"the tenant has no service {name}{activated}")
    if isinstance(error, AccessDenied) and error.status == 403:
        return Service("denied", f"{name} is there and not granted (403): grant it to the service user, Read Only")
    if isinstance(error, AccessDenied):
        return Service(
            "refused", f"a gateway answers 401 for {name} while others take the same token", error=_everywhere(error)
        )
    return Service("refused", f"{name} gave no answer that counts: {error.message}", error=error)


def _everywhere(error: AccessDenied) -> AccessDenied:
    """A 401 to a fresh token: where every service says so, it is no matter of one of them."""
    cure = "Check ifs.base_url, ifs.surface and the realm in ifs.token_url, and the service account's rights in IFS."
    words = f"a token was given out, and every service that was asked refuses it: {error.message}"
    return AccessDenied(words, status=401, cure=cure)
