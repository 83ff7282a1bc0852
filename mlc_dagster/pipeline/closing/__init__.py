"""The month end: what each company delivered, holds and has different, on both sides, and who signed for it."""
