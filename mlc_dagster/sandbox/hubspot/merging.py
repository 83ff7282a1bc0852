"""A user merges two records: a new record under a new id, and both old ids lead to it (facts/saas-doubts.md, 2.1)."""

from __future__ import annotations

from mlc_dagster.sandbox.hubspot.objects import Objects

MERGED_IDS = "hs_merged_object_ids"


def merge(objects: Objects, kind: str, primary: str, secondary: str) -> str:
    """The id of the new record. The primary's values win, a unique key too; the old ones vanish, unarchived."""
    one, other = objects.live(kind)[primary], objects.live(kind)[secondary]
    values = {**other["properties"], **{name: value for name, value in one["properties"].items() if value}}
    before = [each["properties"].get(MERGED_IDS) for each in (one, other)]
    swallowed = [primary, secondary, *(old for ids in before if ids for old in ids.split(";"))]
    objects.last_id += 1
    survivor = {**one, "id": str(objects.last_id), "properties": {**values, MERGED_IDS: ";".join(swallowed)}}
    for old in (primary, secondary):
        del objects.rows[kind][old]
        objects.merged.setdefault(kind, {})[old] = survivor["id"]
    objects.rows[kind][survivor["id"]] = survivor
    for old in (primary, secondary):
        _move(objects, kind, old, survivor["id"])
    return str(survivor["id"])


def _move(objects: Objects, kind: str, old: str, new: str) -> None:
    """Associations of the old record, on both ends."""
    for path, ends in objects.links.items():
        source, target = path.split("/")
        if source == kind and old in ends:
            there = ends.setdefault(new, [])
            there.extend(each for each in ends.pop(old) if each not in there)
        if target == kind:
            for each, others in ends.items():
                ends[each] = list(dict.fromkeys(new if other == old else other for other in others))
