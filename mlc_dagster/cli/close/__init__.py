"""`mlc close`: the month end, and who signs for it."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "The month end: what each company delivered, holds and has different, to the cent, and who signed for it.",
    Command("show", "The figures of a month, kept as a version where they are others than before. Exit 1: not signed."),
    Command("sign", "Sign a company's month by name. A signature is void as soon as a figure is another one."),
    usual="show",
)
