"""All statements, system by system."""

from mlc_dagster_tests.statements.described import airbase, cin7, hubspot, monday, procurify

CHAPTERS = (hubspot.CHAPTER, cin7.CHAPTER, airbase.CHAPTER, monday.CHAPTER, procurify.CHAPTER)
