"""A certificate for tests of settings that name one."""

import shutil
import subprocess

import pytest

SELF_SIGNED = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca"


@pytest.fixture
def pem(tmp_path):
    """A folder with a certificate and its key, ca.pem and key.pem, made by openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH")
    command = [*SELF_SIGNED.split(), "-keyout", "key.pem", "-out", "ca.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path
