"""The records that a webhook told of, read by themselves and put among the stored rows of the day, without its list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.core.arrow_columns import source_schema
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import EntitySet, Pull, key_text
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.asset_keys import read_of
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.partitions import scope_of

RECORDS = "mlc/records"
"""The tag of a run that reads some records alone: `purchase_request_list pr_1 pr_2`."""
AT_ONCE = 25  # records that are asked for one by one; for more of them a list is cheaper
LONGEST = 1000  # characters of a tag
log = logger("mlc_dagster.sources")


def told_tag(name: str, ids: Sequence[str]) -> str:
    """The tag's text; empty where these cannot be told by one: then the day is read."""
    text = " ".join([name, *ids])
    return text if 0 < len(ids) <= AT_ONCE and len(text) <= LONGEST and not any(" " in each for each in ids) else ""


def told_of(tags: Mapping[str, str], entity: EntitySet) -> list[str]:
    """The ids that a run is to read of an entity set, and nothing else of it; none: it reads the day."""
    name, *ids = tags.get(RECORDS, "").split(" ")
    return ids if name == entity.name else []


def read_records(context: dg.AssetExecutionContext, entity: EntitySet, partition: str, ids: Sequence[str]) -> Pull:
    """Read these into the partition. Where rows of it are stored, they keep the number of their walk, and so do these:
    what is read by itself is never taken for a walk of the whole. Raises as the client's `read_records`.
    """
    client, ledger = getattr(context.resources, entity.system).client, context.resources.ledger.open
    store, name, began = context.resources.storage.store, "/".join(entity.key), ledger.work.now()
    stored = [batch for batch in store.read(entity.key, partition) if batch.num_rows]
    entries = ledger.stored.of(name, partition) if stored else []
    number = entries[-1].read_number if entries else ledger.reads.begin(name, partition, context.run.run_id)
    pull = Pull(name, partition, read_number=number)
    fresh = list(client.read_records(entity, ids, scope_of(entity, partition, ""), pull, ledger.sightings))
    kept = without_keys(stored, entity, [key_text(each) for each in ids])
    store.write(entity.key, partition, source_schema(entity.record), [*kept, *fresh], read_number=number)
    ledger.record_pull(pull, run=run_of(context, partition))
    ledger.work.done(read_of(entity), partition, began)
    ledger.work.answered(entity.system)
    told = {**reports.of_pull(pull), "read_by_themselves": len(ids)}
    context.add_asset_metadata(told, partition_key=partition)
    log.info("%s %s: %d records that a webhook told of, %d of them of this day", name, partition, len(ids), pull.rows)
    return pull


def without_keys(batches: Iterable[pa.RecordBatch], entity: EntitySet, keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of other keys; of a set with one key, as the lists of a SaaS have."""
    (key,) = entity.keys
    wanted = pa.array(keys, pa.string())
    for batch in batches:
        found = pc.is_in(batch[key].cast(pa.string()), value_set=wanted)
        yield batch.filter(pc.invert(found))
