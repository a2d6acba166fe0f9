"""Tables as CSV (RFC 4180), which every program reads."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deardiary.media.encoded import Encoded


def encode(table: Any) -> Encoded:
    """A list of dicts, a dict of lists, or a data frame of pandas, polars or arrow, with one line a row.

    None is an empty field. Lists and dicts in a field are JSON. TypeError for other values, ValueError for columns of
    different lengths.
    """
    names, rows = _rows(table)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    writer.writerows([_field(each) for each in row] for row in rows)
    return Encoded(buffer.getvalue().encode("utf-8", "replace"), ".csv")


def _rows(table: Any) -> tuple[list[str], Iterable[Sequence[Any]]]:
    if hasattr(table, "itertuples"):  # pandas
        return [str(each) for each in table.columns], table.itertuples(index=False, name=None)
    if hasattr(table, "iter_rows"):  # polars
        return list(table.columns), table.iter_rows()
    if hasattr(table, "to_pydict"):  # arrow
        table = table.to_pydict()
    if isinstance(table, Mapping):
        columns = [list(each) for each in table.values()]
        if len({len(each) for each in columns}) > 1:
            raise ValueError("The columns of a table have the same length")
        return [str(each) for each in table], zip(*columns, strict=True)
    if isinstance(table, Iterable) and not isinstance(table, (str, bytes)):
        rows = list(table)
        if all(isinstance(each, Mapping) for each in rows):
            names = list(dict.fromkeys(name for each in rows for name in each))
            return [str(each) for each in names], [[each.get(name) for name in names] for each in rows]
    raise TypeError(f"A table is a list of dicts, a dict of lists or a data frame, not {type(table).__name__}")


def _field(value: Any) -> Any:
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value
