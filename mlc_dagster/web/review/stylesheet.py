"""Where the page's one stylesheet its one script and its icon are."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLESHEET, SCRIPT, ICON = STATIC / "review.css", STATIC / "review.js", STATIC / "review.svg"
