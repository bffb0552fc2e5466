"""Tables as text files, with any of the usual separators."""

from __future__ import annotations

import csv
import io

from qa_bot.index.readers.parts import Unreadable, decoded
from qa_bot.index.readers.table import records
from qa_bot.types import Extracted

_SEPARATORS = ",;\t|"


def read(data: bytes) -> Extracted:
    """A paragraph for each row of a .csv or .tsv file."""
    text = decoded(data)
    csv.field_size_limit(len(text) + 1)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return Extracted("\n\n".join(records(rows)))
    except csv.Error as exc:
        raise Unreadable(f"is no table: {exc}") from exc
