"""What several systems need, written once: lists by day, three-way merge, JSON to rows, countries."""
