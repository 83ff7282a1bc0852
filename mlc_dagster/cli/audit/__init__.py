"""`mlc audit`: everything that ever happened to a record, and whether the trail is as it was written."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "The trail: lines are added to it, never changed, never deleted.",
    Command(
        "show", "Every read, hold, decision, attempt and answer of a record, by flow, the oldest first. Times are UTC."
    ),
    Command(
        "verify",
        "Whether a line of the trail was changed, removed, slipped in or moved since it was written; exit 1 if so.",
    ),
    Command("pulls", "Every read of a source: when, by whom, with which filter, how many rows in how many requests."),
    Command("export", "Every line of the trail of a month or a day, with the last hash of each flow, for an auditor."),
)
