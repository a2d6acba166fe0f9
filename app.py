"""The Chalice app: all routes, nothing else."""

import os
import sys

if os.environ.get("AWS_CHALICE_CLI_MODE"):
    from infra.first_deploy import require_ready

    require_ready(sys.argv[1:])

from chalice.app import Chalice

from chalicelib import config
from chalicelib.routes.blueprints import BLUEPRINTS

# A wrong setting stops the server here, not at some request.
config.settings()

# Its own handler would swallow the warnings of the client, whose logger has the same name.
app = Chalice(app_name="deardiary", configure_logs=False)

for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)
