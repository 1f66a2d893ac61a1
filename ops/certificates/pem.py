"""Certificates out of PEM text. Pure."""

import re

BLOCK = re.compile("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def certificates(pem: str) -> set[str]:
    """Each certificate's base64 without line ends, so that differently wrapped copies are equal."""
    return {"".join(body.split()) for body in BLOCK.findall(pem)}
