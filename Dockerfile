# The service as one process without rights, tools or files to write. docs/deploy.md tells how it is run.
#
#   docker build --build-arg NEWSINTEL_COMMIT=$(git rev-parse HEAD) -t newsintel .
#
# The base is named by tag; a build that must not move names its digest as well:
#   docker buildx imagetools inspect python:3.12-slim-trixie --format '{{.Manifest.Digest}}'
#   docker build --build-arg PYTHON=python:3.12-slim-trixie@sha256:... .
# Whichever it was is written down in the provenance of every image that the pipeline builds.
ARG PYTHON=python:3.12-slim-trixie


# `just image-check` takes the RUN lines of this stage and runs them elsewhere, without Docker: absolute paths below /build and
# /opt/newsintel alone, and no tool but python.
FROM ${PYTHON} AS build
WORKDIR /build
RUN python -m venv /build/tools && python -m venv --without-pip /opt/newsintel
COPY locks/build.txt locks/image.txt locks/
RUN /build/tools/bin/pip install -q --no-cache-dir --require-hashes --only-binary :all: -r locks/build.txt \
    && /build/tools/bin/pip --python /opt/newsintel/bin/python install -q --no-cache-dir --no-compile --require-hashes --only-binary :all: \
    -r locks/image.txt
COPY LICENSE README.md pyproject.toml ./
COPY newsintel newsintel
RUN /build/tools/bin/pip wheel -q --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir wheels . \
    && /build/tools/bin/pip --python /opt/newsintel/bin/python install -q --no-cache-dir --no-compile --no-index --no-deps wheels/*.whl
# Bytecode that is never compared with its source: the same on every build, and nothing to write at run time.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/newsintel/lib
COPY ops/certificates/rds.pem /opt/newsintel/rds.pem


FROM ${PYTHON}
# The base brings pip, twice, and its standard library uncompiled.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.12/ensurepip /usr/local/lib/python3.12/site-packages/* \
    && python -m compileall -q --invalidation-mode unchecked-hash /usr/local/lib/python3.12
COPY --from=build /opt/newsintel /opt/newsintel
ARG NEWSINTEL_VERSION=unknown
ARG NEWSINTEL_COMMIT=unknown
LABEL org.opencontainers.image.title="newsintel" \
    org.opencontainers.image.description="One search over every news source, each under its own deadline" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${NEWSINTEL_VERSION}" \
    org.opencontainers.image.revision="${NEWSINTEL_COMMIT}"
# PGSSLROOTCERT: Amazon signs RDS with roots of its own, which no system knows; a URL's sslrootcert overrides it. HOME is for libraries
# that ask for one; it is not there, and nobody may make it.
ENV PATH=/opt/newsintel/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PGSSLROOTCERT=/opt/newsintel/rds.pem \
    HOME=/nonexistent \
    NEWSINTEL_ENV=production \
    NEWSINTEL_BIND=0.0.0.0:8000 \
    NEWSINTEL_COMMIT=${NEWSINTEL_COMMIT}
USER 10001:10001
EXPOSE 8000
# No HEALTHCHECK: who runs the image asks /health, as the balancer does.
ENTRYPOINT ["newsintel"]
CMD ["serve"]
