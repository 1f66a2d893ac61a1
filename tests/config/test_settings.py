"""Settings: what is accepted, what is refused with which message, and what is shown."""

import sys
from pathlib import Path

import pytest
from attrs import fields

from newsintel.config.environment import SECRET_PARSERS
from newsintel.config.reading import read_log_format, read_settings
from newsintel.config.settings import Settings
from newsintel.config.strays import UnknownName
from newsintel.config.values import (
    ListenAddress,
    Quota,
    Secret,
    SourceOptions,
    parse_secret,
    parse_text,
    url_parser,
)
from newsintel.errors import SettingsError
from newsintel.outbound.sources import REGISTRY

DECLARED = (
    SourceOptions(
        "guardian", "https://guardian.example", 1.0, Quota(500, 86400), {"KEY": parse_secret}
    ),
    SourceOptions(
        "reddit",
        "https://reddit.example",
        0.6,
        None,
        {"CLIENT_ID": parse_text, "CLIENT_SECRET": parse_secret},
        {"AUTH_URL": (url_parser("https", "http"), "https://www.example")},
    ),
)
PRODUCTION = {
    "NEWSINTEL_ENV": "production",
    "NEWSINTEL_PUBLIC_URL": "https://news.example",
    "NEWSINTEL_DATABASE_URL": "postgresql://app:password@db.example/news?sslmode=verify-full&sslrootcert=system",
    "NEWSINTEL_REDIS_URL": "rediss://cache.example",
    "NEWSINTEL_SECRET_KEYS": "A" * 43,
}


def read(**environ):
    """Read settings from an environment. The names are given without the prefix."""
    return read_settings(DECLARED, {f"NEWSINTEL_{name}": value for name, value in environ.items()})


def shown(settings, name):
    """The row of a setting in `newsintel config`."""
    return next(row for row in settings.rows if row.name == f"NEWSINTEL_{name}")


def test_an_empty_environment_gives_the_defaults():
    """No source is enabled."""
    settings = read_settings(DECLARED, {})
    assert (settings.bind, settings.public_url) == (
        ListenAddress("127.0.0.1", 8000),
        "http://localhost:8000",
    )
    assert settings.enabled_sources == ()
    assert settings.source["guardian"].deadline_s == 1.0
    assert settings.source["guardian"].quota == Quota(500, 86400)
    assert {row.origin for row in settings.rows} == {"default"}
    assert shown(settings, "GUARDIAN_QUOTA").value == "500/1d"
    assert shown(settings, "PUBLIC_URL").value == "http://localhost:8000"
    assert shown(settings, "SEARCH_DEADLINE_S").unit == "s"


def test_a_source_is_enabled_by_all_its_keys():
    """A source with half of its credentials stays off."""
    assert read(REDDIT_CLIENT_ID="id").enabled_sources == ()
    assert read(REDDIT_CLIENT_ID="id", REDDIT_CLIENT_SECRET="s").enabled_sources == ("reddit",)


def test_a_source_without_keys_is_on_unless_its_own_setting_switches_it_off():
    """It calls nobody when it is asked, so it has no URL, pace and quota. Production accepts it."""
    feeds = REGISTRY["feeds"].options
    settings = read_settings([feeds], {})
    assert settings.enabled_sources == ("feeds",)
    assert (settings.source["feeds"].url, settings.source["feeds"].quota) == ("", None)
    names = {row.name for row in settings.rows}
    assert "NEWSINTEL_FEEDS_DEADLINE_S" in names
    assert not names & {f"NEWSINTEL_FEEDS_{name}" for name in ("URL", "PACE_S", "QUOTA")}
    assert read_settings([feeds], {"NEWSINTEL_FEEDS": "off"}).enabled_sources == ()
    assert read_settings([feeds], PRODUCTION).enabled_sources == ("feeds",)
    assert read_settings([*DECLARED, feeds], {"NEWSINTEL_SOURCES": "feeds"}).enabled_sources == (
        "feeds",
    )
    shown_as = [
        shown(read_settings([feeds], {"NEWSINTEL_FEEDS": one}), "FEEDS").value for one in FEEDS
    ]
    assert shown_as == list(FEEDS)


FEEDS = ("default", "off", "https://x.example/a,https://y.example/b")


def test_sources_sets_the_order_and_the_selection():
    """SOURCES gives the founder order. Sources that it leaves out are known and off."""
    keys = {"GUARDIAN_KEY": "k", "REDDIT_CLIENT_ID": "id", "REDDIT_CLIENT_SECRET": "s"}
    assert read(**keys).enabled_sources == ("guardian", "reddit")
    assert read(**keys, SOURCES="reddit, guardian").enabled_sources == ("reddit", "guardian")
    only = read(**keys, SOURCES="reddit")
    assert (only.enabled_sources, tuple(only.source)) == (("reddit",), ("reddit", "guardian"))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"BIND": "8000"}, "NEWSINTEL_BIND must be address:port"),
        ({"BIND": "127.0.0.1:70000"}, "NEWSINTEL_BIND"),
        ({"ENV": "staging"}, "NEWSINTEL_ENV must be one of development, production"),
        (
            {"GUARDIAN_DEADLINE_S": "0"},
            "NEWSINTEL_GUARDIAN_DEADLINE_S must be a number of seconds above 0",
        ),
        (
            {"GUARDIAN_DEADLINE_S": "nan"},
            "NEWSINTEL_GUARDIAN_DEADLINE_S must be a number of seconds such as 1.5",
        ),
        ({"GUARDIAN_DEADLINE_S": "1_0"}, "NEWSINTEL_GUARDIAN_DEADLINE_S"),
        ({"GUARDIAN_DEADLINE_S": "٣"}, "NEWSINTEL_GUARDIAN_DEADLINE_S"),
        (
            {"GUARDIAN_DEADLINE_S": "2"},
            "NEWSINTEL_GUARDIAN_DEADLINE_S .2. must be at most NEWSINTEL_SEARCH_DEADLINE_S .1.5.",
        ),
        ({"GUARDIAN_QUOTA": "100"}, "NEWSINTEL_GUARDIAN_QUOTA must be calls per window"),
        (
            {"GUARDIAN_URL": "ftp://x"},
            "NEWSINTEL_GUARDIAN_URL must be a URL starting with http:// or https://",
        ),
        (
            {"SOURCES": "guardian,bing"},
            "NEWSINTEL_SOURCES must list only guardian, reddit, not 'bing'",
        ),
        ({"MAX_FLIGHTS": "0"}, "NEWSINTEL_MAX_FLIGHTS must be a whole number from 1 to 10000"),
        (
            {"DATABASE_PASSWORD_FILE": "/none"},
            (
                "NEWSINTEL_DATABASE_PASSWORD_FILE names a file that cannot be read:"
                " No such file or directory"
            ),
        ),
        (
            {"DATABASE_PASSWORD_FILE": "/"},
            "NEWSINTEL_DATABASE_PASSWORD_FILE names a file that cannot be read: Is a directory",
        ),
        (
            {"DATABASE_PASSWORD_FILE": sys.executable},
            (
                "NEWSINTEL_DATABASE_PASSWORD_FILE names a file that cannot be read:"
                " it is not text in UTF-8"
            ),
        ),
        ({"GUARDIAN_KEY": " "}, "NEWSINTEL_GUARDIAN_KEY must not be blank"),
        (
            {"DATABASE_PASSWORD": "planted\udcff"},
            "NEWSINTEL_DATABASE_PASSWORD must be text in UTF-8",
        ),
        (
            {"SECRET_KEYS": "planted"},
            "NEWSINTEL_SECRET_KEYS must be a comma list of keys, each 32 random bytes in base64url",
        ),
        ({"SIGN_IN": "everyone"}, "NEWSINTEL_SIGN_IN must be anyone, off, or a list such as"),
        ({"SIGN_IN": "anyone,reddit:alice"}, "NEWSINTEL_SIGN_IN must be anyone, off, or a list"),
        ({"OPERATORS": "anyone"}, "NEWSINTEL_OPERATORS must be a list such as reddit:alice"),
        ({"OPERATORS": "alice"}, "NEWSINTEL_OPERATORS must be a list such as reddit:alice"),
        ({"OPS_PAGE": "1"}, "NEWSINTEL_OPERATORS must be set if NEWSINTEL_OPS_PAGE is 1"),
        ({"DEV_SIGN_IN": "yes"}, "NEWSINTEL_DEV_SIGN_IN must be 1 or 0"),
        ({"DEV_SIGN_IN": "1", "BIND": "0.0.0.0:80"}, "NEWSINTEL_DEV_SIGN_IN lets anybody sign in"),
        (
            {"OIDC_ISSUER": "https://op.example"},
            "NEWSINTEL_OIDC_CLIENT_ID must be set if NEWSINTEL_OIDC_ISSUER is",
        ),
        ({"CORS_ORIGINS": "*"}, "NEWSINTEL_CORS_ORIGINS must be a comma list of origins"),
        ({"FEEDS": "https://x,nope"}, "NEWSINTEL_FEEDS must be default, off, an OPML file"),
        (
            {"SMTP_URL": "smtp://127.0.0.1:25"},
            "NEWSINTEL_SMTP_URL and NEWSINTEL_SMTP_FROM must be set together",
        ),
        (
            {"SMTP_FROM": "alerts@example.org"},
            "NEWSINTEL_SMTP_URL and NEWSINTEL_SMTP_FROM must be set together",
        ),
        ({"SMTP_URL": "mail.example.org"}, "NEWSINTEL_SMTP_URL must be a URL such as smtps://"),
        ({"SMTP_FROM": "alerts"}, "NEWSINTEL_SMTP_FROM must be a sender such as"),
        ({"PRIVATE_ADDRESSES": "yes"}, "NEWSINTEL_PRIVATE_ADDRESSES must be 1 or 0"),
        (
            {"FEEDS_POLL_MIN_S": "60", "FEEDS_POLL_MAX_S": "30"},
            "NEWSINTEL_FEEDS_POLL_MIN_S .60. must be at most NEWSINTEL_FEEDS_POLL_MAX_S .30.",
        ),
        ({"SECRET_KEYS": " , "}, "NEWSINTEL_SECRET_KEYS must be a comma list of keys"),
        ({"SECRET_KEYS": "A" * 42 + "+"}, "NEWSINTEL_SECRET_KEYS must be a comma list of keys"),
        (
            {"SECRET_KEYS": f"{'A' * 43},{'A' * 43}="},
            "NEWSINTEL_SECRET_KEYS must not hold a key twice",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(environ, named):
    """The message is one line that names the setting."""
    with pytest.raises(SettingsError, match=named) as caught:
        read(**environ)
    assert "\n" not in str(caught.value)
    assert "planted" not in str(caught.value)


def test_deadline_default_follows_a_shorter_search_deadline():
    """The default deadline of a source never exceeds that of the search."""
    assert read(SEARCH_DEADLINE_S="0.5").source["guardian"].deadline_s == 0.5


def test_secrets_come_from_files_and_are_never_shown(tmp_path):
    """X_FILE is read for a secret X.

    No repr, row or text of the settings shows it, and the redactor knows it.
    """
    path = tmp_path / "key"
    path.write_text("planted\n")
    settings = read(GUARDIAN_KEY_FILE=str(path), DATABASE_URL="postgresql://u:hidden@h/d")
    assert settings.source["guardian"].values["key"].reveal() == "planted"
    assert shown(settings, "GUARDIAN_KEY").value == "***"
    assert shown(settings, "GUARDIAN_KEY").origin == "NEWSINTEL_GUARDIAN_KEY_FILE"
    assert "planted" not in repr(settings)
    assert "hidden" not in repr(settings)
    assert "planted" not in repr(settings.rows)
    assert str(Secret("x")) == "***"
    assert {"planted", "hidden"} <= set(settings.list_secrets())


def test_a_variable_without_a_name_is_no_file_of_a_secret(tmp_path):
    """`_FILE` belongs to no setting."""
    (tmp_path / "secret").write_text("planted")
    settings = read_settings(DECLARED, {"_FILE": str(tmp_path / "secret")})
    assert settings.database_password is None


def test_every_secret_may_come_from_a_file_and_is_in_no_message():
    """A new kind of secret must be in the list."""
    secrets = [
        (one.name.upper(), one.metadata["parse"])
        for one in fields(Settings)
        if "parse" in one.metadata and "Secret" in str(one.type)
    ]
    assert len(secrets) >= 9
    assert {parse for _, parse in secrets} <= set(SECRET_PARSERS)


@pytest.mark.parametrize("url", ["u:planted@mail.example:25", "ftp:u:planted@mail.example"])
def test_the_mail_server_is_a_secret(tmp_path, url):
    """Its password is in no message, in whatever form, and it may come from a file."""
    with pytest.raises(SettingsError, match=r"^NEWSINTEL_SMTP_URL must be a URL") as caught:
        read(SMTP_URL=url, SMTP_FROM="a@b.example")
    assert "planted" not in str(caught.value)
    path = tmp_path / "url"
    path.write_text("smtps://u:planted@mail.example\n")
    settings = read(SMTP_URL_FILE=str(path), SMTP_FROM="a@b.example")
    assert settings.smtp_url.reveal() == "smtps://u:planted@mail.example"
    assert "planted" in settings.list_secrets()


@pytest.mark.parametrize("name", ["ENV", "MAX_FLIGHTS", "SOURCES", "FEEDS_POLL_MIN_S"])
def test_a_message_repeats_only_the_beginning_of_a_long_value(name):
    """A value may have as much as the system passes on."""
    with pytest.raises(SettingsError, match=f"^NEWSINTEL_{name} ") as caught:
        read(**{name: "x" * 100_000})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://u:pl%40nted@[::1]:5433,h2:6000/d"),
        ("DATABASE_URL", "postgresql://u@h/d?password=pl%40nted"),
        ("DATABASE_URL", "postgresql://u@h/d?sslpassword=pl%40nted&connect_timeout=3"),
        ("REDIS_URL", "rediss://:pl%40nted@h/0"),
        ("REDIS_URL", "unix:///run/redis.sock?password=pl%40nted&db=1"),
        ("REDIS_URL", "rediss://h?ssl_password=pl%40nted"),
    ],
)
def test_the_password_in_a_url_is_known_to_the_redactor(name, url):
    """The redactor knows it in the spelling of the URL and as a driver may quote it."""
    assert {"pl%40nted", "pl@nted"} <= set(read(**{name: url}).list_secrets())


@pytest.mark.parametrize(
    "name",
    [
        "GUARDIAN_KEY",
        "DATABASE_URL",
        "DATABASE_PASSWORD",
        "SECRET_KEYS",
        "METRICS_TOKEN",
        "REDDIT_CLIENT_SECRET",
    ],
)
def test_a_secret_and_its_file_together_are_refused(tmp_path, name):
    """Only an operator knows which one is meant.

    The platform's name together with ours is not refused.
    """
    path = tmp_path / "secret"
    path.write_text("postgresql://h/d" if name == "DATABASE_URL" else "A" * 43)
    with pytest.raises(
        SettingsError,
        match=rf"^NEWSINTEL_{name} and NEWSINTEL_{name}_FILE are both set: unset one of them$",
    ):
        read(**{name: "A" * 43, f"{name}_FILE": str(path)})
    assert read(**{name: "", f"{name}_FILE": str(path)})
    with pytest.raises(SettingsError, match=r"^DATABASE_URL and DATABASE_URL_FILE are both set"):
        read_settings(
            DECLARED, {"DATABASE_URL": "postgresql://h/d", "DATABASE_URL_FILE": str(path)}
        )
    path.write_text("postgresql://file/d")
    ours = read_settings(
        DECLARED,
        {"DATABASE_URL": "postgresql://theirs/d", "NEWSINTEL_DATABASE_URL_FILE": str(path)},
    )
    assert ours.database_url.reveal() == "postgresql://file/d"


SHORT = [
    ({"NEWSINTEL_GUARDIAN_KEY": "1234567"}, "NEWSINTEL_GUARDIAN_KEY must have"),
    ({"NEWSINTEL_METRICS_TOKEN": "t0ken"}, "NEWSINTEL_METRICS_TOKEN must have"),
    ({"NEWSINTEL_DATABASE_PASSWORD": "pw"}, "NEWSINTEL_DATABASE_PASSWORD must have"),
    (
        {
            "NEWSINTEL_DATABASE_URL": "postgresql://app:pw@db.example/n?sslmode=verify-full&sslrootcert=system"
        },
        "the password in NEWSINTEL_DATABASE_URL must have",
    ),
    (
        {"NEWSINTEL_REDIS_URL": "rediss://:%41%42%43@cache.example"},
        "the password in NEWSINTEL_REDIS_URL must have",
    ),
    (
        {"NEWSINTEL_REDDIT_CLIENT_ID": "i", "NEWSINTEL_REDDIT_CLIENT_SECRET": "s"},
        "NEWSINTEL_REDDIT_CLIENT_SECRET must have",
    ),
]


@pytest.mark.parametrize(("change", "named"), SHORT)
def test_short_secrets_are_refused_in_production(change, named, tmp_path):
    """This holds for every kind of secret, also in a URL or a file. Development accepts them."""
    with pytest.raises(SettingsError, match=rf"^{named} at least 8 characters in production$"):
        read_settings(DECLARED, PRODUCTION | change)
    read_settings(DECLARED, PRODUCTION | change | {"NEWSINTEL_ENV": "development"})
    (name, value), path = list(change.items())[-1], tmp_path / "secret"
    path.write_text(value)
    with pytest.raises(SettingsError, match=f"{name}_FILE must have at least 8 characters"):
        read_settings(DECLARED, PRODUCTION | change | {name: "", f"{name}_FILE": str(path)})


def test_a_missing_password_is_not_a_short_one():
    """A URL without a password is accepted. Eight characters are enough."""
    assert read_settings(
        DECLARED,
        PRODUCTION
        | {
            "NEWSINTEL_DATABASE_URL": "postgresql://db.example/news?sslmode=verify-full&sslrootcert=system"
        },
    )
    assert read_settings(DECLARED, PRODUCTION | {"NEWSINTEL_METRICS_TOKEN": "12345678"})


def test_a_missing_setting_is_reported_with_a_similar_name():
    """In production, the unknown name in the environment is probably the reason."""
    environ = PRODUCTION | {"NEWSINTEL_SECRET_KEYS": "", "NEWSINTEL_SECRET_KEY": "A" * 43}
    with pytest.raises(SettingsError) as caught:
        read_settings(DECLARED, environ)
    assert str(caught.value).endswith(
        "; NEWSINTEL_SECRET_KEY is not a setting; did you mean NEWSINTEL_SECRET_KEYS?"
    )


def test_secret_keys_are_a_list_in_order(tmp_path):
    """With or without padding, also from a file.

    Each key is hidden and known to the redactor. Development has none.
    """
    path = tmp_path / "keys"
    path.write_text(f"{'A' * 43}= , {'B' * 43}\n")
    settings = read(SECRET_KEYS_FILE=str(path))
    assert [key.reveal() for key in settings.secret_keys] == ["A" * 43, "B" * 43]
    assert (shown(settings, "SECRET_KEYS").value, shown(settings, "SECRET_KEYS").origin) == (
        "***,***",
        "NEWSINTEL_SECRET_KEYS_FILE",
    )
    assert {"A" * 43, "B" * 43} <= set(settings.list_secrets())
    assert "A" * 43 not in repr(settings)
    assert read().secret_keys == ()


def test_platform_names_are_read_when_ours_are_unset():
    """DATABASE_URL, REDIS_URL and PORT count if our own name is unset.

    With PORT, production listens on all addresses.
    """
    settings = read_settings(
        DECLARED, {"DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h", "PORT": "9000"}
    )
    assert settings.database_url.reveal() == "postgresql://h/d"
    assert settings.bind == ListenAddress("127.0.0.1", 9000)
    ours = read_settings(
        DECLARED,
        {"DATABASE_URL": "postgresql://theirs/d", "NEWSINTEL_DATABASE_URL": "postgresql://ours/d"},
    )
    assert ours.database_url.reveal() == "postgresql://ours/d"
    assert read_settings(DECLARED, {**PRODUCTION, "PORT": "9000"}).bind == ListenAddress(
        "0.0.0.0", 9000
    )


def test_overrides_take_precedence_over_the_environment():
    """Overrides are those of a command."""
    settings = read_settings(
        DECLARED, {"NEWSINTEL_MAX_FLIGHTS": "5"}, overrides={"NEWSINTEL_MAX_FLIGHTS": "7"}
    )
    assert settings.max_flights == 7


def test_unknown_names_are_reported():
    """So a misspelt setting is noticed."""
    assert read(GUARDIAN_DEADLINE="1").unknown == (
        UnknownName("NEWSINTEL_GUARDIAN_DEADLINE", "NEWSINTEL_GUARDIAN_DEADLINE_S"),
    )
    assert read(GUARDIAN_DEADLINE_S="1").unknown == ()


def test_data_dir_is_absolute(tmp_path):
    """Its default follows XDG_DATA_HOME."""
    assert (
        read_settings(DECLARED, {"XDG_DATA_HOME": str(tmp_path)}).data_dir == tmp_path / "newsintel"
    )
    assert read(DATA_DIR="here").data_dir == Path.cwd() / "here"
    with pytest.raises(
        SettingsError,
        match=r"^NEWSINTEL_DATA_DIR must be the path of a folder, .*,"
        r" not '~nobody-of-that-name/x'$",
    ):
        read(DATA_DIR="~nobody-of-that-name/x")


def test_values_are_shown_in_the_syntax_of_the_environment():
    """A line of `newsintel config` can be copied back into the environment."""
    settings = read(
        SEARCH_DEADLINE_S="2",
        DEV_SIGN_IN="1",
        RATE_LIMIT="off",
        GUARDIAN_QUOTA="7/1h",
        CACHE_TTL_S="0.5",
    )
    names = (
        "SEARCH_DEADLINE_S",
        "DEV_SIGN_IN",
        "RATE_LIMIT",
        "GUARDIAN_QUOTA",
        "CACHE_TTL_S",
        "REDDIT_QUOTA",
        "SESSION_IDLE_S",
        "METRICS_BIND",
    )
    assert [shown(settings, name).value for name in names] == [
        "2",
        "1",
        "off",
        "7/3600s",
        "0.5",
        "off",
        "1209600",
        "-",
    ]
    again = {row.name: row.value for row in settings.rows if row.value not in ("-", "***")}
    assert read_settings(DECLARED, again).rate_limit is None
    assert read_settings(DECLARED, again).session_idle_s == 14 * 86400


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"NEWSINTEL_DATABASE_URL": ""}, "NEWSINTEL_DATABASE_URL must be set in production"),
        ({"NEWSINTEL_REDIS_URL": ""}, "NEWSINTEL_REDIS_URL must be set in production"),
        ({"NEWSINTEL_SECRET_KEYS": ""}, "NEWSINTEL_SECRET_KEYS must be set in production"),
        (
            {"NEWSINTEL_PUBLIC_URL": "http://news.example"},
            "NEWSINTEL_PUBLIC_URL must start with https://",
        ),
        (
            {"NEWSINTEL_DATABASE_URL": "postgresql://db.example/news?sslmode=require"},
            "NEWSINTEL_DATABASE_URL must say sslmode=verify-full",
        ),
        (
            {"NEWSINTEL_MIGRATE_DATABASE_URL": "postgresql://db.example/news"},
            "NEWSINTEL_MIGRATE_DATABASE_URL must say sslmode=verify-full",
        ),
        (
            {"NEWSINTEL_DATABASE_URL": "postgresql:///news", "PGHOST": "db.example"},
            "NEWSINTEL_DATABASE_URL must say sslmode=verify-full",
        ),
        (
            {"NEWSINTEL_DATABASE_URL": "postgresql://localhost,db.example/news"},
            "NEWSINTEL_DATABASE_URL must say sslmode=verify-full",
        ),
        (
            {"NEWSINTEL_REDIS_URL": "redis://cache.example"},
            "NEWSINTEL_REDIS_URL must start with rediss://",
        ),
        (
            {"NEWSINTEL_REDIS_URL": "rediss://cache.example?ssl_cert_reqs=none"},
            "NEWSINTEL_REDIS_URL must start with rediss://",
        ),
        (
            {"NEWSINTEL_GUARDIAN_KEY": "k", "NEWSINTEL_GUARDIAN_URL": "http://g.example"},
            "NEWSINTEL_GUARDIAN_URL must start with https://",
        ),
        (
            {
                "NEWSINTEL_REDDIT_CLIENT_ID": "i",
                "NEWSINTEL_REDDIT_CLIENT_SECRET": "s",
                "NEWSINTEL_REDDIT_AUTH_URL": "http://r.example",
            },
            "NEWSINTEL_REDDIT_AUTH_URL must start with https://",
        ),
        (
            {"NEWSINTEL_PRIVATE_ADDRESSES": "1"},
            "NEWSINTEL_PRIVATE_ADDRESSES must not be 1 in production",
        ),
        (
            {"NEWSINTEL_OIDC_ISSUER": "http://op.example", "NEWSINTEL_OIDC_CLIENT_ID": "i"},
            "NEWSINTEL_OIDC_ISSUER must start with https://",
        ),
    ],
)
def test_unsafe_settings_are_refused_in_production(change, named):
    """The start fails with the name of the setting."""
    assert read_settings(DECLARED, PRODUCTION).production
    with pytest.raises(SettingsError, match=named):
        read_settings(DECLARED, PRODUCTION | change)


@pytest.mark.parametrize(
    "database",
    [
        "postgresql:///news?host=/run/postgresql",
        "postgresql://127.0.0.1/news",
        "postgresql://[::1]/news",
    ],
)
@pytest.mark.parametrize(
    "redis", ["unix:///run/redis.sock", "redis://localhost:6379/0", "redis://127.0.0.9"]
)
def test_production_on_one_machine_needs_no_tls(database, redis):
    """Other people cannot read what is sent over a unix socket or a loopback address."""
    one_box = {
        "NEWSINTEL_DATABASE_URL": database,
        "NEWSINTEL_REDIS_URL": redis,
        "NEWSINTEL_MIGRATE_DATABASE_URL": database,
    }
    assert read_settings(DECLARED, PRODUCTION | one_box).production


@pytest.mark.parametrize("env", ["development", "production"])
@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (
            {"DATABASE_URL": "foo"},
            "DATABASE_URL must be a URL such as postgresql://user@host:5432/database",
        ),
        (
            {"NEWSINTEL_DATABASE_URL": "localhost:6379"},
            "NEWSINTEL_DATABASE_URL must be a URL such as",
        ),
        (
            {"NEWSINTEL_DATABASE_URL": "mysql://u:planted@h/d"},
            "NEWSINTEL_DATABASE_URL must be a URL such as",
        ),
        (
            {
                "NEWSINTEL_MIGRATE_DATABASE_URL": "postgresql://u:planted@h/d?channel_binding=require"
            },
            "has a channel_binding",
        ),
        (
            {"DATABASE_URL": "postgresql://u:planted@h/d?pgbouncer=true"},
            "DATABASE_URL has pgbouncer, which is not a parameter",
        ),
        (
            {"DATABASE_URL": "postgresql://u:planted@h/d?sslmode=verify-full"},
            "DATABASE_URL says sslmode=verify-full without a root certificate",
        ),
        (
            {"DATABASE_URL": "postgresql://u:planted@h/d?sslmode=verify-full&sslrootcert=/no"},
            "DATABASE_URL has a sslrootcert that cannot be",
        ),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL must be a URL such as redis://host:6379/0"),
        (
            {"REDIS_URL": "rediss://:planted@h?ssl_cert_reqs=maybe"},
            "REDIS_URL has a ssl_cert_reqs that cannot be used",
        ),
        (
            {"NEWSINTEL_REDIS_URL": "rediss://:planted@h?ssl_ca_certs=/no"},
            "NEWSINTEL_REDIS_URL has a ssl_ca_certs that cannot be read",
        ),
    ],
)
def test_unusable_store_urls_are_refused_by_the_name_that_was_set(
    env, environ, said, monkeypatch, tmp_path
):
    """That is the platform's name or ours. The message is one line without secrets."""
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = {
        name: value
        for name, value in PRODUCTION.items()
        if name.removeprefix("NEWSINTEL_") not in ("DATABASE_URL", "REDIS_URL")
    }
    others = {"NEWSINTEL_DATABASE_URL": "postgresql:///d", "NEWSINTEL_REDIS_URL": "redis://"}
    others = {
        name: url
        for name, url in others.items()
        if not {name, name.removeprefix("NEWSINTEL_")} & set(environ)
    }
    with pytest.raises(SettingsError, match=r"^\S*_URL ") as refusal:
        read_settings(DECLARED, settings | others | environ | {"NEWSINTEL_ENV": env})
    assert said in str(refusal.value)
    assert "planted" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_store_url_may_come_from_a_file(tmp_path):
    """As any secret. The message about an invalid URL names the file's setting."""
    path = tmp_path / "url"
    path.write_text("postgresql://u:hidden@h/d\n")
    assert read(DATABASE_URL_FILE=str(path)).database_url.reveal() == "postgresql://u:hidden@h/d"
    path.write_text("h:5432")
    with pytest.raises(SettingsError, match=r"^NEWSINTEL_DATABASE_URL_FILE must be a URL such as"):
        read(DATABASE_URL_FILE=str(path))


def test_sign_in_is_a_list_of_guests():
    """The default is anyone.

    Names are compared without case, except the subjects of OpenID Connect.
    """
    assert read().sign_in == ("anyone",)
    assert read(SIGN_IN="off").sign_in == ("off",)
    assert read(SIGN_IN="reddit:Alice, oidc:A@b.org").sign_in == ("reddit:alice", "oidc:a@b.org")
    assert read(SIGN_IN="OIDC:AbC").sign_in == ("oidc:AbC",)
    assert read(OPERATORS="reddit:Alice, OIDC:AbC").operators == ("reddit:alice", "oidc:AbC")
    assert (read().session_idle_s, read().session_max_s) == (14 * 86400, 90 * 86400)


@pytest.mark.parametrize(("written", "expected"), [("json", "json"), ("", "auto"), ("x", "auto")])
def test_the_log_format_is_known_before_the_settings_are_read(monkeypatch, written, expected):
    """An invalid one counts as unset; reading the settings reports it."""
    monkeypatch.setenv("NEWSINTEL_LOG_FORMAT", written)
    assert read_log_format() == expected


def test_a_user_without_a_home_needs_a_data_dir(monkeypatch):
    """The message names the setting."""

    def nowhere():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(SettingsError, match="NEWSINTEL_DATA_DIR must be set"):
        read_settings(DECLARED, {})
    assert read_settings(DECLARED, {"XDG_DATA_HOME": "/x"}).data_dir == Path("/x/newsintel")
