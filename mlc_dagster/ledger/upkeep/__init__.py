"""The ledger as a whole: whether it is sound, its backups, and how one is put back."""
