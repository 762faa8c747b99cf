"""``python -m watchglass``."""

import sys

from watchglass.cli.main import main

sys.exit(main())
