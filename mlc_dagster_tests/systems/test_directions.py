"""In which directions records move, system by system: a flow the other way is a decision, not an oversight."""

from collections import defaultdict

from mlc_dagster.systems.registry import systems

FROM_THE_ERP, INTO_THE_ERP, WORD_BACK = "from the ERP", "into the ERP", "word back"
DIRECTIONS = {
    "hubspot": {FROM_THE_ERP},
    "monday": {FROM_THE_ERP},
    "cin7": {FROM_THE_ERP, INTO_THE_ERP},
    "airbase": {FROM_THE_ERP, INTO_THE_ERP, WORD_BACK},
    "procurify": {FROM_THE_ERP, INTO_THE_ERP},
}
"""Word back: what a SaaS asked for is told to it again, as that a voucher is entered; off unless mlc.yaml says how."""

ONLY_SUPPLIERS = {
    ("cin7", INTO_THE_ERP): {"ifs/suppliers_from_cin7"},
    ("procurify", FROM_THE_ERP): {"procurify/vendors"},
}
"""Where a direction is for suppliers alone."""


def directions() -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, system in systems().items():
        for flow in system.flows:
            into = flow.target.system
            way = FROM_THE_ERP if flow.source.system == "ifs" else INTO_THE_ERP if into == "ifs" else WORD_BACK
            found[name][way].add(flow.name)
    return found


def test_records_move_in_the_directions_that_were_asked_for_and_in_no_other() -> None:
    found = directions()
    assert {name: set(ways) for name, ways in found.items()} == DIRECTIONS
    assert {place: found[place[0]][place[1]] for place in ONLY_SUPPLIERS} == ONLY_SUPPLIERS
