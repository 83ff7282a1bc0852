"""x"""

from mlc_dagster_tests.statements.statement import Chapter

CHAPTER = Chapter("procurify", {})
