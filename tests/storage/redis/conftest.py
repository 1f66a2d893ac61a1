"""The tests of these ports run on one server and on a real cluster."""

import pytest

from tests.storage.redis_clusters import PROGRAMS, has_programs, running_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A cluster of three servers that no test changes."""
    if not has_programs():
        pytest.skip(f"no cluster without {' and '.join(PROGRAMS)} 7 or newer")
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(params=["server", "cluster"])
def redis_kind(request):
    """Where the test runs: see ON_ONE_SERVER."""
    return request.param


@pytest.fixture
def redis_url(redis_kind, request):
    """The URL of a server, or of one server of the cluster."""
    if redis_kind == "server":
        return request.getfixturevalue("servers").redis_url
    return request.getfixturevalue("cluster").url
