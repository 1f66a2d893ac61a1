# The service as one unprivileged process that writes no files. The image has no installers and no
# build tools. docs/deploy.md says how to run it.
#
#   docker build --build-arg NEWSINTEL_COMMIT=$(git rev-parse HEAD) -t newsintel .
#
# The base image is named by its digest, so a build is reproducible. Dependabot proposes the next one.
# The pipeline scans every image and releases none with a critical finding.
ARG PYTHON=python:3.12-slim-trixie@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de


# `just image-check` runs the RUN lines of this stage elsewhere, without Docker. So they may use
# only absolute paths below /build and /opt/newsintel, and no tool but python.
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
# Bytecode without source checks: identical in every build, and nothing is written at run time.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/newsintel/lib
COPY ops/certificates/rds.pem /opt/newsintel/rds.pem


FROM ${PYTHON}
# The base image has pip twice, and a standard library without bytecode.
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
# PGSSLROOTCERT: Amazon signs RDS with its own roots, which no operating system has; a URL's
# sslrootcert overrides it. HOME is for libraries that need one; the folder does not exist and
# cannot be created.
ENV PATH=/opt/newsintel/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PGSSLROOTCERT=/opt/newsintel/rds.pem \
    HOME=/nonexistent \
    NEWSINTEL_ENV=production \
    NEWSINTEL_BIND=0.0.0.0:8000 \
    NEWSINTEL_COMMIT=${NEWSINTEL_COMMIT}
USER 10001:10001
EXPOSE 8000
# No HEALTHCHECK: the platform requests /health, as the load balancer does.
ENTRYPOINT ["newsintel"]
CMD ["serve"]
