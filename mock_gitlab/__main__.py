"""``python -m mock_gitlab`` is ``mock-gitlab``."""

import sys

from mock_gitlab.cli.main import main

sys.exit(main())
