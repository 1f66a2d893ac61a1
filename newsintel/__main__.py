"""`python -m newsintel`, and the `newsintel` command."""

import sys

from newsintel.cli import main

if __name__ == "__main__":
    sys.exit(main())
