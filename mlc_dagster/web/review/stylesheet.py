"""Where the page's one stylesheet is."""

from pathlib import Path

STYLESHEET = Path(__file__).parent / "static" / "review.css"
