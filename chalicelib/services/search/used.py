"""The keys that the iterations of an experiment use: what a filter, an order or a table of columns can name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.search.ast import Kind
from chalicelib.services.search.facts import Facts, Known, read
from chalicelib.services.search.values import to_number
from chalicelib.storage.reads import projection
from deardiary.wire.shapes import KeysInUse, KeyUse

_OWNED = (Kind.PARAMETERS, Kind.METRICS, Kind.TAGS)


def list_keys(actor: Actor, experiment_id: str) -> KeysInUse:
    """All keys of the experiment, read without consistency: as a search that names every kind, at half the price."""
    access.experiment(actor, experiment_id, Need.READ)
    iterations = projection.read_iterations(experiment_id, None, ["labels"], consistent=False)
    known = read(experiment_id, iterations, _OWNED, consistent=False, known=Known())
    facts = [known.of(iteration) for iteration in iterations]
    return KeysInUse(
        parameters=_uses((each.parameters for each in facts), texts=_texts(facts)),
        metrics=_uses((each.summaries for each in facts), texts=()),
        labels=_uses((each.iteration.labels for each in facts), texts=None),
        tags=_uses((each.tags for each in facts), texts=None),
    )


def _texts(facts: Sequence[Facts]) -> set[str]:
    """The parameters of which a value is no number."""
    found: set[str] = set()
    for each in facts:
        found.update(key for key, value in each.parameters.items() if key not in found and to_number(value) is None)
    return found


def _uses(owned: Iterable[Iterable[str]], *, texts: Iterable[str] | None) -> tuple[KeyUse, ...]:
    """Each key with the number of iterations that have it. `texts`: the keys that are no numbers; None for all."""
    counts = Counter(key for keys in owned for key in keys)
    texts = counts if texts is None else texts
    return tuple(
        KeyUse(key=key, type="string" if key in texts else "number", count=counts[key]) for key in sorted(counts)
    )
