"""Parameters: one row each in the experiment's partition, found by iteration and key."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from chalicelib import ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page, page_by_id
from chalicelib.storage import change
from chalicelib.storage import iteration as iterations
from chalicelib.storage.table import item, keys, nearby
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Iteration, Parameter

# DynamoDB's limit for IN.
_MOST_OPERANDS = 100


class ParameterRow(Item, discriminator="parameter"):
    id = UnicodeAttribute()
    iteration_id = UnicodeAttribute()
    key_text = UnicodeAttribute()
    value = UnicodeAttribute()
    # True: SageMaker describes the job like this. What the program itself logs takes its place.
    captured = BooleanAttribute(null=True)


def create_parameters(
    iteration: Iteration, parameters: list[Parameter], *, even_ended: bool = False, captured: bool = False
) -> None:
    """Create at most 97 parameters, or none. Conflict if one exists; InvalidPayload if the iteration is locked.

    A `captured` one gives way to a later one of the same key that is not.
    """
    write = Transaction()
    iterations.check_writable(iteration, write, even_ended=even_ended)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=iteration.end_date is not None)
    for parameter in parameters:
        row, absent = _row(iteration, parameter), ParameterRow.pk.does_not_exist()
        row.captured = captured or None
        write.put(row, Conflict, absent if captured else absent | (ParameterRow.captured == True))  # noqa: E712
    write.commit()


def find_parameters(iteration: Iteration, names: list[str]) -> dict[str, Parameter]:
    """The parameters with these keys that exist, by key."""
    return {row.key_text: _shape(row) for row in _rows(iteration, names)}


def find_conflicting(iteration: Iteration, values: dict[str, str]) -> tuple[list[Parameter], list[str]]:
    """The parameters that exist with another value, and the keys to create. A captured parameter is to be replaced."""
    rows = {row.key_text: row for row in _rows(iteration, list(values))}
    other = [row for key, row in rows.items() if row.value != values[key]]
    replaced = {row.key_text for row in other if row.captured}
    missing = [key for key in values if key not in rows or key in replaced]
    return [_shape(row) for row in other if not row.captured], missing


def _rows(iteration: Iteration, names: list[str]) -> list[ParameterRow]:
    found = item.get_many(keys.parameter(iteration.experiment_id, iteration.id, ids.hash_text(name)) for name in names)
    return [row for row in found.values() if isinstance(row, ParameterRow)]


def get_parameter(iteration: Iteration, parameter_id: str) -> Parameter:
    row = item.get(ParameterRow, _key(iteration, parameter_id))
    if row.id != parameter_id:
        raise NotFound
    return _shape(row)


def list_parameters(iteration: Iteration, limit: int, cursor: str | None) -> Page[Parameter]:
    """List in the order of creation. The rows are in the order of their keys' hashes, but an iteration has few."""
    partition, prefix = keys.experiment_partition(iteration.experiment_id), keys.parameters_prefix(iteration.id)
    return page_by_id([_shape(row) for row in item.query(ParameterRow, partition, prefix)], prefix, limit, cursor)


def read_parameters_of_span(
    experiment_id: str,
    first_id: str,
    last_id: str,
    names: Collection[str] | None = None,
    *,
    consistent: bool = True,
) -> dict[str, dict[str, str]]:
    """Read keys and values of the iterations from one id to another, by iteration; only these `names`, if given.

    DynamoDB leaves out the other keys: they cost the same read units, but neither bytes nor time. It compares with up
    to 100 names; more are compared here.
    """
    wanted = None if names is None else frozenset(names)
    condition = ParameterRow.key_text.is_in(*sorted(wanted)) if wanted and len(wanted) <= _MOST_OPERANDS else None
    found: dict[str, dict[str, str]] = {}
    span = keys.parameters_span(experiment_id, first_id, last_id)
    columns = ["iteration_id", "key_text", "value"]
    for row in item.raw_rows(span, columns, condition=condition, consistent=consistent):
        key = row["key_text"]["S"]
        if wanted is None or key in wanted:
            found.setdefault(row["iteration_id"]["S"], {})[key] = row["value"]["S"]
    return found


def read_parameters_of_iterations(
    experiment_id: str, iteration_ids: Sequence[str], names: Collection[str] | None = None, *, consistent: bool = True
) -> dict[str, dict[str, str]]:
    """Like `read_parameters_of_span` for iterations that may be far apart: those between them are not read."""
    prefixes = [keys.parameters_prefix(each) for each in iteration_ids]
    partition = keys.experiment_partition(experiment_id)
    rows = nearby.read_below(partition, prefixes, ["iteration_id", "key_text", "value"], consistent=consistent)
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if names is None or row["key_text"]["S"] in names:
            found.setdefault(row["iteration_id"]["S"], {})[row["key_text"]["S"]] = row["value"]["S"]
    return found


def update_parameter(iteration: Iteration, parameter: Parameter) -> None:
    write = Transaction()
    iterations.check_unlocked(iteration, write)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=iteration.end_date is not None)
    write.update(
        _row(iteration, parameter),
        [ParameterRow.value.set(parameter.value), ParameterRow.captured.remove()],
        ParameterRow.id == parameter.id,
        NotFound,
    )
    write.commit()


def delete_parameter(iteration: Iteration, parameter_id: str) -> None:
    write = Transaction()
    iterations.check_unlocked(iteration, write)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=iteration.end_date is not None)
    row = ParameterRow(*_key(iteration, parameter_id))
    write.delete(row, ParameterRow.id == parameter_id, NotFound)
    write.commit()


def new_parameter_id(iteration_id: str, key: str) -> str:
    return f"{iteration_id}.{ids.stamp()}.{ids.hash_text(key)}"


def _key(iteration: Iteration, parameter_id: str) -> keys.Key:
    return keys.parameter(iteration.experiment_id, iteration.id, ids.split_id(parameter_id)[-1])


def _row(iteration: Iteration, parameter: Parameter) -> ParameterRow:
    key = keys.parameter(iteration.experiment_id, iteration.id, ids.hash_text(parameter.key))
    return row_of(ParameterRow, key, parameter, key_text=parameter.key)


def _shape(row: ParameterRow) -> Parameter:
    return shape_of(row, Parameter, key=row.key_text)
