"""What the sandbox holds when it starts: seeded, believable records, and the settings that fit them."""
