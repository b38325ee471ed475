"""``python -m pyrad_core`` is the console script ``pyrad-core``."""

import sys

from .cli import main

sys.exit(main())
