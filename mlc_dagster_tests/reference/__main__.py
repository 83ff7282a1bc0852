"""`python -m mlc_dagster_tests.reference` writes the pages anew."""

from mlc_dagster_tests.reference.pages import PAGES

for path, page in PAGES.items():
    path.write_text(page(), encoding="utf-8")
