"""Serve an `Account` to Terraform in place of AWS, by the stand-in that has the provider's schema.

    python serve_account.py STAND_IN SCHEMA ACCOUNT terraform apply

The stand-in refuses to apply; this lets it apply to the account. It runs in the environment of the
tools (.venv-terraform), as the stand-in does.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ops.terraform_check.account import REPLACED, Account


def main() -> None:
    """Start the stand-in with a provider that applies."""
    stand_in, schema, account, *command = sys.argv[1:]
    # The file ends with the call of its main.
    source = Path(stand_in).read_text(encoding="utf-8").removesuffix("main()\n")
    names: dict[str, Any] = {"__name__": "stand_in"}
    exec(compile(source, stand_in, "exec"), names)  # noqa: S102 - the stand-in is a script
    names["Provider"] = _build_provider(names, Account(Path(account)))
    sys.argv = [stand_in, schema, *command]
    names["main"]()


def _build_provider(names: dict[str, Any], account: Account) -> type:
    """Return the stand-in's provider with the calls that change something.

    The numbers are those of the fields in Terraform's plugin protocol 6 (tfplugin6.proto).
    """
    read, write = names["dv_in"], names["dv_out"]
    field, text, diagnose = names["f_bytes"], names["f_str"], names["diag"]
    unknown, base = type(names["UNKNOWN"]), names["Provider"]

    def drop_unknown(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: drop_unknown(each) for name, each in value.items()}
        if isinstance(value, list):
            return [drop_unknown(each) for each in value]
        return None if isinstance(value, unknown) else value

    class AccountProvider(base):  # type: ignore[misc, valid-type]
        def PlanResourceChange(self, request: dict[int, list[bytes]]) -> Any:  # noqa: N802
            kind = request[1][0].decode()
            before, wanted = read(request[2][0]), read(request[3][0])
            answer = super().PlanResourceChange(request)
            for name in REPLACED.get(kind, ()) if before and wanted else ():
                if before[name] != wanted[name]:
                    # Plan it as a new resource: what AWS computes is unknown again.
                    blank = {
                        each: None
                        if self.s["resource_schemas"][kind]["block"]["attributes"][each].get(
                            "computed"
                        )
                        else value
                        for each, value in wanted.items()
                    }
                    answer = super().PlanResourceChange({**request, 3: [write(blank)]})
                    return answer + field(2, field(1, text(1, name)))
            return answer

        def ApplyResourceChange(self, request: dict[int, list[bytes]]) -> Any:  # noqa: N802
            kind = request[1][0].decode()
            before, planned, given = (read(request[number][0]) for number in (2, 3, 4))
            if planned is None:
                return field(1, write(None))
            block = self.s["resource_schemas"][kind]["block"]
            state, error = account.change(kind, block, before, drop_unknown(planned), given)
            return field(1, write(state)) + (field(3, diagnose(kind, error)) if error else b"")

        def ReadResource(self, request: dict[int, list[bytes]]) -> Any:  # noqa: N802
            if request[1][0].decode() != "aws_db_instance":
                return super().ReadResource(request)
            return field(1, write(account.read_database(read(request[2][0])["id"])))

        def ImportResourceState(self, request: dict[int, list[bytes]]) -> Any:  # noqa: N802
            kind, key = request[1][0].decode(), request[2][0].decode()
            found = account.read_database(key) if kind == "aws_db_instance" else None
            if found is None:
                return field(2, diagnose(kind, f"there is no {key}"))
            return field(1, text(1, kind) + field(2, write(found)))

        def OpenEphemeralResource(self, request: dict[int, list[bytes]]) -> Any:  # noqa: N802
            kind, given = request[1][0].decode(), read(request[2][0])
            if kind == "aws_secretsmanager_random_password":
                return field(3, write({**given, "random_password": account.create_password()}))
            try:
                found = account.read_secret(given["secret_id"])
            except KeyError:
                return field(1, diagnose(kind, f"{given['secret_id']} has no value"))
            attributes = self.s["ephemeral_resource_schemas"][kind]["block"]["attributes"]
            invented = {
                name: [] if isinstance(attribute["type"], list) else name
                for name, attribute in attributes.items()
                if given.get(name) is None
            }
            return field(3, write({**given, **invented, "secret_string": found}))

        def CloseEphemeralResource(self, _request: dict[int, list[bytes]]) -> Any:  # noqa: N802
            return b""

    return AccountProvider


if __name__ == "__main__":
    main()
