# ruff: noqa: INP001 - a script, not a module
"""Ensure the service's database role, then replace this process with the given command.

The role must exist, have its secret's password and no rights over the schema. Terraform passes this
text to the migration task, which runs it as the schema's owner. Then `newsintel migrate` grants the
role its tables. The password is sent as the verifier that PostgreSQL stores (RFC 5802, RFC 7677),
so statement logs cannot have it.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import sys
from urllib.parse import urlsplit

import asyncpg

ITERATIONS = 4096
"""PostgreSQL's default (scram_iterations)."""


def compute_verifier(password: str, salt: bytes) -> str:
    """Return the SCRAM verifier that PostgreSQL 10 and later store for an ASCII password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (
        base64.b64encode(part).decode() for part in (salt, stored, server)
    )
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored64}:{server64}"


async def ensure_role(owner_url: str, owner_password: str, role: str, password: str) -> None:
    """Create the role, or reset its attributes and password."""
    connection = await asyncpg.connect(owner_url, password=owner_password, timeout=10)
    try:
        known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
        verb = "ALTER" if known else "CREATE"
        template = f"{verb} ROLE %I LOGIN NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD %L"
        values = (role, compute_verifier(password, os.urandom(16)))
        await connection.execute(
            await connection.fetchval("SELECT format($1, $2::text, $3::text)", template, *values)
        )
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    finally:
        await connection.close(timeout=10)


if __name__ == "__main__":
    env = os.environ
    service_role = urlsplit(env["NEWSINTEL_DATABASE_URL"]).username or ""
    owner = (env["NEWSINTEL_MIGRATE_DATABASE_URL"], env["NEWSINTEL_MIGRATE_DATABASE_PASSWORD"])
    asyncio.run(ensure_role(*owner, service_role, env["NEWSINTEL_DATABASE_PASSWORD"]))
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the task definition gives the command
