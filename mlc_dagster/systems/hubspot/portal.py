"""What a HubSpot account has: currencies, deal stages, and custom properties, which are made where missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.errors import AccessDenied, Misconfigured, RecordRejected, TransientError
from mlc_dagster.core.facts import Books
from mlc_dagster.systems.hubspot.api import ACCOUNT, DEAL_PIPELINES, Document, HubspotApi, properties
from mlc_dagster.systems.hubspot.objects.properties import GROUP, GROUP_LABEL, KEY, NOT_OURS, PROPERTIES, Property
from mlc_dagster.systems.shared.kept_reads import KeptRead
from mlc_dagster.transport.threads import sleep as wait_for

ANEW = (
    "Archive or rename it in HubSpot, Settings, Properties: HubSpot cannot change it. What hubspot.defaults and "
    "hubspot.deal_key name is made by nobody: name a property that is there."
)
FRESH = 60.0  # seconds that the account is taken for the truth
MOST_UNIQUE = 10  # properties with unique values, of an object type (facts/hubspot.md, section 5)
LOOKS, BETWEEN_LOOKS = 12, 0.4  # a new property can be read after 250 to 700 ms


class Portal:
    """One HubSpot account. `options` are those of the settings."""

    def __init__(
        self,
        api: HubspotApi,
        options: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = wait_for,
    ) -> None:
        self._api, self._options, self._sleep = api, options, sleep
        self._account = KeptRead(self._read_account, FRESH, clock)
        self._ready: set[str] = set()
        self._definitions: dict[str, dict[str, dict[str, Any]]] = {}  # object type -> property -> as HubSpot tells it
        self._looking = threading.Lock()
        self._strangers = KeptRead(self._ask_for_strangers, FRESH, clock)
        self._stage: tuple[str, str] | None = None

    def account(self) -> Document:
        """Read anew, at most once a minute; empty where the token may not ask.

        Raises Misconfigured where the token is of another portal than mlc.yaml names, AccessDenied where it cannot
        be told.
        """
        return self._account.value()

    def _read_account(self) -> Document:
        account, pinned = self._asked(), self._options.get("portal_id")
        found = str(account.get("portalId"))
        if pinned and pinned != found:
            cure = "Check HUBSPOT_TOKEN, or hubspot.portal_id in mlc.yaml."
            raise Misconfigured(f"the token is of portal {found}, and mlc.yaml names {pinned}", cure=cure)
        return account

    def _asked(self) -> Document:
        try:
            found: Document = self._api.get(ACCOUNT)
        except AccessDenied as error:
            if error.status != 403 or self._options.get("portal_id"):
                raise
            return {}
        return found

    def books(self) -> Books:
        """HubSpot has no chart of accounts; what it has is currencies."""
        account = self.account()
        own = str(account.get("companyCurrency") or "")
        more = [str(each) for each in account.get("additionalCurrencies") or ()]
        return Books(has_chart=False, base_currency=own, currencies=frozenset(filter(None, (own, *more))))

    def link(self, type_id: str, remote_id: str) -> str:
        """Where a person sees the record; empty where the portal is not told."""
        account = self.account()
        if not account:
            return ""
        return f"https://{account.get('uiDomain')}/contacts/{account.get('portalId')}/record/{type_id}/{remote_id}"

    # --- custom properties --------------------------------------------------------------------------------------------

    def prepare(self, *kinds: str) -> None:
        """Make the group and the properties that an object type lacks; asked once.

        Raises Misconfigured where one is there and of another type: HubSpot can never change it.
        """
        for kind in kinds:
            if kind not in self._ready:
                self._prepare(kind)
                self._ready.add(kind)

    def lacking(self, kind: str) -> tuple[list[Property], list[str]]:
        """The properties to be made, and what is wrong with those that are there."""
        theirs = {str(row["name"]): dict(row) for row in self._api.pages(properties(kind))}
        self._definitions[kind] = theirs
        wanted = [*PROPERTIES[kind], *(self._added() if kind == "companies" else ())]
        missing = [each for each in wanted if each.name not in theirs]
        faults = [fault for each in wanted if each.name in theirs and (fault := each.fault(theirs[each.name]))]
        return missing, [
            *faults,
            *(f"{name} is not there" for name in self._named(kind) if name.split()[0] not in theirs),
        ]

    def _named(self, kind: str) -> Iterator[str]:
        """The properties of the portal's own that mlc.yaml names, and where."""
        given = self._options.get(f"given.{kind}", "").split(",")
        yield from (f"{name} of hubspot.defaults.{kind}" for name in given if name)
        if kind == "deals" and (name := self._options.get("deal_key")):
            yield f"{name} of hubspot.deal_key"

    def _added(self) -> Iterator[Property]:
        """The properties that mlc.yaml adds; what of them HubSpot has already must be text."""
        names = self._options.get("extra_properties", "").split(",")
        return (Property(name, f"IFS {name.replace('_', ' ')}") for name in names if name)

    def _prepare(self, kind: str) -> None:
        missing = self._checked(kind)
        if not missing:
            return
        groups = self._api.get(properties(kind, "groups")).get("results") or ()
        if GROUP not in {group["name"] for group in groups}:
            self._create(properties(kind, "groups"), {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1})
        self._create(properties(kind, "batch/create"), {"inputs": [each.definition() for each in missing]})
        self._see(kind)

    def _checked(self, kind: str) -> Sequence[Property]:
        missing, faults = self.lacking(kind)
        if faults:
            raise Misconfigured(f"HubSpot's properties of {kind} do not fit: {'; '.join(faults)}", cure=ANEW)
        return missing

    def _create(self, path: str, body: Mapping[str, Any]) -> None:
        """Another run may have been faster: then it exists, and is compared like any other."""
        try:
            self._api.post(path, body)
        except RecordRejected as error:
            if error.status != 409:
                raise Misconfigured(f"a property cannot be created: {error.message}") from error

    def _see(self, kind: str) -> None:
        for _ in range(LOOKS):
            missing = self._checked(kind)
            if not missing:
                return
            self._sleep(BETWEEN_LOOKS)
        names = ", ".join(each.name for each in missing)
        raise Misconfigured(f"HubSpot did not create {names} of {kind}", cure="Create them there by hand, as text.")

    def may_write(self, kind: str, name: str) -> bool:
        """Whether the portal has the property, and says not that it is read-only. After `prepare`."""
        theirs = self._definitions.get(kind, {}).get(name)
        return theirs is not None and not (theirs.get("modificationMetadata") or {}).get("readOnlyValue")

    def vat_properties(self) -> tuple[str, ...]:
        """The company properties in which the portal keeps VAT numbers, ours among them. After `prepare`."""
        named = ("ifs_vat_no", *self._options.get("vat_properties", "").split(","))
        return tuple(name for name in dict.fromkeys(named) if name in self._definitions.get("companies", {}))

    def has_strangers(self) -> bool:
        """Whether it has companies without a key of ours; asked at most once a minute. After `prepare`."""
        with self._looking:
            return self._strangers.value()

    def _ask_for_strangers(self) -> bool:
        """A property that was just made is searched a moment later than it is read."""
        for look in range(LOOKS):
            try:
                return self._api.search("companies", [[NOT_OURS]], KEY, most=1)[0] > 0
            except RecordRejected as error:
                if look == LOOKS - 1:
                    raise TransientError(f"HubSpot's companies cannot be searched yet: {error.message}") from error
                self._sleep(BETWEEN_LOOKS)
        return True

    def room_for_unique(self, kind: str) -> int:
        """How many more properties of unique values an object type may have. After `prepare` or `lacking`."""
        return MOST_UNIQUE - sum(bool(each.get("hasUniqueValue")) for each in self._definitions[kind].values())

    def wait(self, seconds: float) -> None:
        """Until HubSpot has caught up with what it was sent."""
        self._sleep(seconds)

    # --- deals --------------------------------------------------------------------------------------------------------

    def stage(self) -> tuple[str, str]:
        """The ids of the pipeline and of its stage that is closed and won. Raises Misconfigured where it is not one."""
        if self._stage is None:
            self._stage = self._find_stage()
        return self._stage

    def _find_stage(self) -> tuple[str, str]:
        wanted, named = self._options.get("deal_pipeline", "default"), self._options.get("deal_stage", "")
        pipelines = list(self._api.get(DEAL_PIPELINES).get("results") or ())
        found = [each for each in pipelines if wanted in (each["id"], each["label"])]
        if len(found) != 1:
            known = ", ".join(f"{each['label']} ({each['id']})" for each in pipelines)
            cure = "Name one under hubspot.deal_pipeline in mlc.yaml."
            raise Misconfigured(f"HubSpot has no deal pipeline {wanted!r} (it has: {known})", cure=cure)
        stages = [stage for stage in _won(found[0]) if named in ("", stage["id"], stage["label"])]
        if len(stages) != 1:
            known = ", ".join(f"{each['label']} ({each['id']})" for each in _won(found[0])) or "none"
            cure = "Name one under hubspot.deal_stage in mlc.yaml."
            raise Misconfigured(
                f"pipeline {wanted!r} needs one stage that is closed and won; it has: {known}", cure=cure
            )
        return str(found[0]["id"]), str(stages[0]["id"])


def _won(pipeline: Document) -> Iterator[Document]:
    """Closed, at a probability of one. Archived stages take no deals."""
    for stage in pipeline.get("stages") or ():
        told = stage.get("metadata") or {}
        closed = str(told.get("isClosed")).lower() == "true"
        if closed and str(told.get("probability")) in ("1.0", "1") and not stage.get("archived"):
            yield stage
