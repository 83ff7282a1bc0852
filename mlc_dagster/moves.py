"""What moves, by target system: the table of all flows."""

from mlc_dagster.settings import Settings
from mlc_dagster.systems.cin7.flows import FLOWS as CIN7
from mlc_dagster.systems.hubspot.flows import FLOWS as HUBSPOT
from mlc_dagster.vocabulary import Flow

FLOWS: dict[str, tuple[Flow, ...]] = {"cin7": CIN7, "hubspot": HUBSPOT}


def switched_on(settings: Settings) -> dict[str, tuple[Flow, ...]]:
    """The flows of the systems in mlc.yaml, without those that it leaves switched off."""
    options = {system: section.options() for system, section in settings.targets.items()}
    return {
        system: tuple(flow for flow in table if not flow.switch or options[system].get(flow.switch) == "true")
        for system, table in FLOWS.items()
        if system in options
    }
