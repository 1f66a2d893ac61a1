#!/bin/sh
# Checks what `just image-check` cannot: the base image, the last stage, and the container as ECS
# runs it. It needs Docker.
set -eu
cd "$(dirname "$0")/.."
commit=$(git rev-parse HEAD)
image=newsintel:smoke
docker build --quiet --build-arg "NEWSINTEL_COMMIT=$commit" --tag "$image" .

run() {
    docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none "$@"
}

run "$image" --version
test "$(docker inspect --format '{{.Config.User}}' "$image")" = 10001:10001
test "$(docker inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image")" = "$commit"
# Redis is verified with the system's roots, RDS with PGSSLROOTCERT, the sources with certifi.
run --entrypoint python "$image" -c '
import importlib.util, os, ssl
assert not [name for name in ("pip", "ensurepip", "setuptools") if importlib.util.find_spec(name)]
assert len(ssl.create_default_context().get_ca_certs()) > 50
assert len(ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"]).get_ca_certs()) > 50
'
status=0
run "$image" || status=$?
test "$status" -eq 2 # production without settings: one line, exit 2
echo "image_smoke: all checks passed"
