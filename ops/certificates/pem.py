"""Extracts certificates from PEM text."""

import re

BLOCK = re.compile("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def list_certificates(pem: str) -> set[str]:
    """Return each certificate's base64 without line ends, so that line lengths do not matter."""
    return {"".join(body.split()) for body in BLOCK.findall(pem)}
