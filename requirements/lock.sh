#!/bin/sh
# Resolves every list for Python 3.11 and newer on any platform; only hashes are written, no index addresses.
# What is pinned stays as it is; with UPGRADE=1 the newest is taken.
set -eu
compile() {
  "$VENV/bin/uv" pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
    --no-emit-index-url --no-emit-find-links ${UPGRADE:+--upgrade} "$@"
}
compile requirements/build.in -o requirements/build.txt
compile pyproject.toml --extra binary -o requirements/run.txt
compile pyproject.toml --extra binary --group test -c requirements/run.txt -o requirements/test.txt
compile pyproject.toml --extra binary --group lint --group test -c requirements/run.txt -o requirements/lint.txt
compile pyproject.toml --extra binary --group bench --group test -c requirements/run.txt -o requirements/bench.txt
compile --group pyproject.toml:release -c requirements/build.txt -o requirements/release.txt
# For the Debian package, whose modules serve every Python from 3.11 on: without conditions, and the system's libpq.
"$VENV/bin/uv" pip compile --python-version 3.11 --python-platform linux --generate-hashes --no-header --quiet \
  --no-emit-index-url --no-emit-find-links pyproject.toml -c requirements/run.txt -o requirements/deb.txt
