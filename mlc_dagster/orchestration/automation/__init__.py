"""What starts by itself or by hand: jobs, schedules, sensors, plans, replays, retention."""
