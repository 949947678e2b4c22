"""`python -m sememe` is the `sememe` command."""

import sys

from sememe.cli import main

sys.exit(main())
