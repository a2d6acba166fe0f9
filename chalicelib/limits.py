"""The limits that only the server knows. `deardiary.wire.limits` has those that the client checks or splits by.

Each limit stands here once, with its unit in its name.
"""

from __future__ import annotations

from deardiary.wire.limits import KIB

# Requests and answers.
MAX_BULK_UPLOAD_ITEMS = 100
# Captured lines in one answer.
MAX_OUTPUT_LINES = 10_000
# Parts in one request for an upload, and in its answer.
MAX_PARTS_PER_REQUEST = 100

# Commands of one iteration that its writer has not acknowledged. Every flush reads their hashes in the iteration's row.
MAX_PENDING_COMMANDS = 20
MAX_COMMAND_KIND_CHARACTERS = 64
MAX_COMMAND_TEXT_CHARACTERS = 6000
# Alerts of one iteration.
MAX_ALERTS = 100
# Alert rules of a project or an experiment. Every flush reads them.
MAX_RULE_ITEMS = 10

# Parameters of a logged model; keys and values together: they are in the item of their model, beside short labels.
MAX_LOGGED_MODEL_PARAMETERS = 5000
MAX_LOGGED_MODEL_PARAMETERS_BYTES = 190 * KIB
# Version of a language, id of a commit.
MAX_VERSION_CHARACTERS = 255
MAX_ALIAS_CHARACTERS = 255
# All aliases of a model are in one row, which every read of a version reads.
MAX_MODEL_ALIASES = 100
# The state of a view, and the preferences of a user, as JSON.
MAX_STATE_BYTES = 64 * KIB

MAX_USERNAME_CHARACTERS = 64
MIN_PASSWORD_CHARACTERS = 8
# bcrypt ignores further bytes: a longer password would be truncated silently.
MAX_PASSWORD_BYTES = 72
# A username or a password at a sign-in: longer than a right one, which wrong ones must not tell.
MAX_CREDENTIAL_CHARACTERS = 255
