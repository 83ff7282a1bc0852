"""`mlc ledger`: the database that remembers what was delivered; where it is, whether it is sound, its backups."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "The ledger: what was delivered, tried, held and read, in one database.",
    Command(
        "migrate",
        "Bring the tables of a ledger that an older release wrote up to this one. Nothing that it holds is lost.",
    ),
    Command("where", "Which database it is, how large, and what is in it; where the rows between the assets are."),
    Command(
        "check",
        "Whether the ledger is sound: its file, its tables, its trail, and the stored rows beside it; exit 1 if not.",
    ),
    Command(
        "backup",
        "Write the whole ledger of this moment to a new file, while runs go on. Sealed secrets stay sealed in it.",
    ),
    Command("move", "Move the ledger, of all tenants, into an empty database. Stop Dagster before."),
    Command("restore", "Put a backup in the place of the ledger. Stop Dagster before."),
    Command(
        "same-account",
        "A connection leads to the account that the ledger knows, under another id: what was delivered there, stays.",
    ),
    Command(
        "new-account",
        "A connection leads to another account from now on: what was delivered to the one before is set aside.",
    ),
)
