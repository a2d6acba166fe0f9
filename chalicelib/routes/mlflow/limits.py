"""The limits of MLflow's protocol, each with the value that its own server has."""

from __future__ import annotations

MAX_EXPERIMENT_NAME_CHARACTERS = 500
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
