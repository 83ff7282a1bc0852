"""`mlc users`: who may sign in to the review page, as what, for which companies."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "Who may sign in to the review page: personal tokens, roles and companies.",
    Command("add", "Make a person's token, or a new one in its place. It is shown once."),
    Command("list", "Who may sign in, as what, until when."),
    Command("remove", "A person signs in no more, and is signed out everywhere."),
)
