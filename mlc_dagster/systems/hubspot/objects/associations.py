"""Associations between HubSpot's objects: read, made and removed in batches; each of them may be done twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mlc_dagster.systems.hubspot.api import Document, HubspotApi, associations
from mlc_dagster.systems.hubspot.error_messages import reason
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchInput, BatchResult, in_batches
from mlc_dagster.systems.hubspot.objects.properties import KEY
from mlc_dagster.systems.hubspot.records import BATCH

READ, WRITE = 1000, 1000
"""Inputs of one call: HubSpot reads 1,000 and writes 2,000."""

Pair = tuple[str, str]


class Associations:
    """Associations from one object type to another, of HubSpot's default kind."""

    def __init__(self, api: HubspotApi, source: str, target: str) -> None:
        self._api, self._source, self._target = api, source, target

    def of(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Id -> the ids that it is associated with."""
        found: dict[str, list[str]] = {each: [] for each in ids}
        for start in range(0, len(ids), READ):
            self._read([{"id": each} for each in ids[start : start + READ]], found)
        return found

    def _read(self, inputs: list[dict[str, str]], found: dict[str, list[str]]) -> None:
        """One source may have more targets than fit: it is asked again from where it stopped."""
        while inputs:
            answer = self._api.post(associations(self._source, self._target, "read"), {"inputs": inputs})
            inputs = []
            for row in answer.get("results") or ():
                source = str(row["from"]["id"])
                found[source] += [str(each["toObjectId"]) for each in row.get("to") or ()]
                if after := ((row.get("paging") or {}).get("next") or {}).get("after"):
                    inputs.append({"id": source, "after": str(after)})

    def make(self, pairs: Mapping[str, Pair]) -> dict[str, str]:
        """Trace -> (from, to). Trace -> why, of those that HubSpot did not make."""
        inputs = [
            BatchInput(trace, {"from": {"id": one}, "to": {"id": other}}) for trace, (one, other) in pairs.items()
        ]
        sent = in_batches(self._send, inputs, WRITE)
        return {
            trace: sent.refused.get(trace, "HubSpot did not confirm the association")
            for trace in pairs
            if trace not in sent.results
        }

    def _send(self, batch: Sequence[BatchInput]) -> BatchResult:
        path = associations(self._source, self._target, "associate/default")
        answer = self._api.post(path, {"inputs": [each.body for each in batch]})
        made = {(str(row["from"]["id"]), str(row["to"]["id"])) for row in answer.get("results") or ()}
        pairs = {each.trace: (each.body["from"]["id"], each.body["to"]["id"]) for each in batch}
        errors = list(answer.get("errors") or ())
        refused = {trace: why for trace, pair in pairs.items() if pair not in made and (why := _why(pair, errors))}
        return BatchResult({trace: {} for trace, pair in pairs.items() if pair in made}, refused)

    def replace(
        self, wanted: Mapping[str, Pair], there: Mapping[str, Sequence[str]], now: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """As `make`, of those that are not there; what is there and is another one of ours is removed.

        What people associated with records of their own stays. `now`: the id of a record that was merged -> the id
        that it leads to; which of them HubSpot answers is unknown (facts/saas-doubts.md, 2.1).
        """
        leads = dict(now or {})
        found = {one: {leads.get(other, other) for other in others} for one, others in there.items()}
        failed = self.make({trace: pair for trace, pair in wanted.items() if pair[1] not in found.get(pair[0], ())})
        right = set(wanted.values())
        pairs = ((one, other) for one, others in there.items() for other in others)
        wrong = [(one, other) for one, other in pairs if (one, leads.get(other, other)) not in right]
        ours = self._ours(sorted({leads.get(other, other) for _, other in wrong}))
        self.remove([(one, other) for one, other in wrong if leads.get(other, other) in ours])
        return failed

    def _ours(self, ids: Sequence[str]) -> set[str]:
        """Those that carry a key of the ERP."""
        found: set[str] = set()
        for start in range(0, len(ids), BATCH):
            known = self._api.read(self._target, ids[start : start + BATCH], KEY)
            found |= {each for each, row in known.items() if row.get(KEY)}
        return found

    def remove(self, pairs: Collection[Pair]) -> None:
        inputs = [{"from": {"id": one}, "to": [{"id": other}]} for one, other in pairs]
        for start in range(0, len(inputs), WRITE):
            self._api.post(
                associations(self._source, self._target, "archive"), {"inputs": inputs[start : start + WRITE]}
            )


def _why(pair: Pair, errors: Sequence[Document]) -> str:
    """HubSpot's reason for one pair, such as a limit of associations: the error that names both, or the only one."""
    named = [each for each in errors if set(pair) <= _ids(each)]
    found = named or (errors if len(errors) == 1 else [])
    return reason(found[0]) if found else ""


def _ids(error: Document) -> set[str]:
    return {str(each) for values in (error.get("context") or {}).values() for each in values}
