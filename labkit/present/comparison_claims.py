"""Statements of a comparison as a table: a row a statement, those that differ first, a cell a column."""

import pandas as pd

from labkit.claims.compared import claim_rows
from labkit.model.comparison import Comparison
from labkit.present.table import Source, Table
from labkit.words import Language, say


def compared_claims(comparison: Comparison, language: Language | None = None) -> Table | Source:
    """Show statements by column: the verdict, its day and the tools that were asked, or why there is none."""
    rows = claim_rows(comparison, language)
    if len(rows) == 1:
        return Source(say("compare.claim.none", language))
    return Table(pd.DataFrame(list(rows[1:]), columns=pd.Index(rows[0]), dtype="str"))
