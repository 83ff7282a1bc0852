"""`mlc differences`: where the two sides of a delivered record do not agree any more."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "Delivered records whose two sides do not agree any more: open until they do, or until a person decides.",
    Command("list", "What differs and is open: a summary by flow and kind, then the records, the newest last."),
    usual="list",
)
