"""Who may write and call now, and what waits for whom: leases, budgets, pauses, the inbox."""
