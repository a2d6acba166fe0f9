"""The Chalice app: all routes, nothing else."""

from chalice.app import Chalice

from chalicelib import config
from chalicelib.routes import (
    auth,
    experiment,
    health,
    iteration,
    log,
    metric,
    parameter,
    permission,
    project,
    resource,
    tag,
    user,
)

# A wrong setting stops the server here, not at some request.
config.settings()

app = Chalice(app_name="deardiary")

for noun in (health, auth, user, permission, project, experiment, iteration, parameter, metric, log, tag, resource):
    app.register_blueprint(noun.routes)
