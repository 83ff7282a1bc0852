"""What Dagster takes as a cron line."""

from dagster._utils.schedules import is_valid_cron_schedule


def is_cron(line: str) -> bool:
    """Judged by what will run it: `0 24 * * *` is none, and `@daily` is one."""
    return is_valid_cron_schedule(line)
