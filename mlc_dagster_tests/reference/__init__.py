"""Pages of docs/ that are made from the code: settings, commands, the runbook."""
