"""Run the command ``deardiary`` by ``python -m deardiary``."""

import sys

from deardiary.cli.main import main

sys.exit(main())
