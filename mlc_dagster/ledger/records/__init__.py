"""What the ledger knows of each record: delivered, tried, held, decided, read and stored."""
