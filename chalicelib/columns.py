"""Points of one key as columns: the form in which the server computes; the client decodes stored points into it."""

from __future__ import annotations

from deardiary.wire.columns import Columns as Columns
