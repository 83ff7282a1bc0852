"""One module for each step; the newest is named in `opening.HEAD`."""
