"""What moves, by target system: the table of all flows."""

from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.airbase.flows import FLOWS as AIRBASE
from mlc_dagster.systems.cin7.flows import FLOWS as CIN7
from mlc_dagster.systems.hubspot.flows import FLOWS as HUBSPOT
from mlc_dagster.systems.monday.flows import FLOWS as MONDAY
from mlc_dagster.systems.procurify.flows import FLOWS as PROCURIFY

FLOWS: dict[str, tuple[Flow, ...]] = {
    "cin7": CIN7,
    "airbase": AIRBASE,
    "hubspot": HUBSPOT,
    "monday": MONDAY,
    "procurify": PROCURIFY,
}
