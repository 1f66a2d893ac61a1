"""`python -m newsintel`, and the `newsintel` command."""

import sys

from newsintel.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
