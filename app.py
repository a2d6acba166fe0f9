"""The Chalice app: all routes, nothing else."""

from chalice.app import Chalice

from chalicelib import config
from chalicelib.routes import (
    artifact,
    auth,
    experiment,
    health,
    iteration,
    log,
    metric,
    model,
    modelversion,
    openapi,
    parameter,
    permission,
    project,
    resource,
    series,
    snapshot,
    tag,
    token,
    upkeep,
    user,
)

# A wrong setting stops the server here, not at some request.
config.settings()

# Its own handler would swallow the warnings of the client, whose logger has the same name.
app = Chalice(app_name="deardiary", configure_logs=False)

NOUNS = (
    health,
    auth,
    token,
    user,
    permission,
    project,
    experiment,
    iteration,
    parameter,
    metric,
    series,
    log,
    tag,
    resource,
    artifact,
    snapshot,
    model,
    modelversion,
    upkeep,
    openapi,
)

for noun in NOUNS:
    app.register_blueprint(noun.routes)
