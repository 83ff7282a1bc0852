"""`mlc holds`: what is on hold and why, and the decisions of a person on it."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "Records on hold: what, why, and what a person decides. Every decision stays in the trail, with who and why.",
    Command(
        "list",
        "What is on hold: by cause with amount, age and owner, by flow and rule, then the records, the newest last.",
    ),
    Command("show", "One record on hold: every problem in full, the record, its trail, and what can be done."),
    Command(
        "release", "Let a record pass as it is: these rules, this content. One KEY, or all of a --rule in a --flow."
    ),
    Command("discard", "Never send a record as it is now. One KEY, or all of a --rule in a --flow."),
)
