"""The Chalice app: all routes, nothing else."""

import gc
import os
import sys

if os.environ.get("AWS_CHALICE_CLI_MODE"):
    from infra.first_deploy import require_ready

    require_ready(sys.argv[1:])

# Almost all that imports create stays: the collector would search it in vain, for 7 % of a cold start.
gc.disable()

from chalicelib import config
from chalicelib.routes.blueprints import App

# A wrong setting stops the server here, not at some request.
config.settings()

app = App()

# Later collections skip these objects.
gc.freeze()
gc.enable()
