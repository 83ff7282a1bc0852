"""`mlc alerts`: whether the people that mlc.yaml names are reached."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "Who is told of failed runs, and once a day of what is on hold: `alerts` in mlc.yaml.",
    Command("test", "Send a test message every way, and say what came of each. Exit 1 where one did not get out."),
)
