"""``python -m deardiary`` is the command ``deardiary``."""

import sys

from deardiary.cli.main import main

sys.exit(main())
