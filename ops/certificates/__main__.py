"""`python -m ops.certificates` checks that every root in rds.pem is in the bundle of Amazon.

It needs the network. CI runs it on every change and every week.
"""

import sys
import urllib.request
from pathlib import Path

from ops.certificates.pem import list_certificates

PUBLISHED = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
OURS = Path(__file__).with_name("rds.pem")
REQUEST_S = 30


def main() -> int:
    """Return 0 if Amazon's bundle has every certificate."""
    with urllib.request.urlopen(PUBLISHED, timeout=REQUEST_S) as response:
        published = list_certificates(response.read().decode("ascii"))
    strange = list_certificates(OURS.read_text(encoding="ascii")) - published
    print(f"rds.pem: {len(strange)} certificates that {PUBLISHED} does not hold")
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
