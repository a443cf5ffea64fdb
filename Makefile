# Every target does its own set-up: a virtual environment from hash-locked lists. Needs Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV   := .venv
comma  := ,
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check --quiet install --require-hashes --no-build-isolation
EDIT   := $(BIN)/pip --disable-pip-version-check --quiet install --no-build-isolation --no-deps --editable .

unexport PYTHONDONTWRITEBYTECODE # each worker of the tests, and each process that they start, would compile everything

.PHONY: run demo test coverage transcripts catalogues letters pictures portraits soak cluster pgbouncer rules series lint format \
	bench documents deb image release release-check acceptance lock clean help

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST)

run: $(VENV)/run.done ## show a demonstration; with settings in this shell or a Mastodon on this host, start the daemon
	exec $(BIN)/mastodon-update-check demo --unless-set-up

demo: $(VENV)/run.done ## show the demonstration in any case
	exec $(BIN)/mastodon-update-check demo

test: $(VENV)/test.done ## every test that needs no root, in about four minutes
	-test -x build/chromium || $(MAKE) --no-print-directory build/chromium
	$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

coverage: $(VENV)/test.done ## the same, with what the tests reach of each branch, also in the processes they start
	$(BIN)/python -m coverage erase
	COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml $(BIN)/python -m coverage run -m pytest -n 4 --dist worksteal $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

transcripts: $(VENV)/test.done ## write the output of the commands again (tests/transcripts), to be reviewed
	TRANSCRIPTS=write $(BIN)/python -m pytest tests/end_to_end/test_transcripts.py $(ARGS)

soak: $(VENV)/test.done ## kill the program at every step and in random lives, for 20 minutes: ARGS="--minutes 3"
	$(BIN)/python -m pytest -q -n 2 -m hypothesis --hypothesis-profile=long tests
	PYTHONPATH=tests $(BIN)/python -m soak $(ARGS)

cluster: $(VENV)/test.done ## daemons on two and three machines with one ledger, whose owner fails 200 times: ARGS="--rounds 36"
	PYTHONPATH=tests $(BIN)/python -m cluster $(ARGS)

pgbouncer: $(VENV)/test.done ## the database through a real PgBouncer, which must be installed
	$(BIN)/python -m pytest tests/pgbouncer $(ARGS)

rules: build/promtool $(VENV)/test.done ## try the alert rules with promtool and a real Prometheus (from Debian's packages)
	build/promtool check rules packaging/prometheus/mastodon-update-check.rules.yml
	build/promtool test rules packaging/prometheus/rules.test.yml
	$(BIN)/python -m pytest tests/prometheus $(ARGS)

build/promtool:
	mkdir -p build/prometheus
	cd build/prometheus && apt-get download -qq prometheus prometheus-node-exporter && \
		for package in *.deb; do dpkg-deb --extract $$package .; done
	cp build/prometheus/usr/bin/promtool $@

series: ## add a minor series to the known ones: make series SERIES=4.8
	sed -i 's/^)$$/    ($(subst .,$(comma) ,$(SERIES))),\n)/' src/mastodon_update_check/domain/routes.py
	grep -q '($(subst .,$(comma) ,$(SERIES))),' src/mastodon_update_check/domain/routes.py

catalogues: $(VENV)/test.done ## take what the messages say into every catalogue of translations, and compile them
	$(BIN)/python tests/translations/catalogues.py

letters: $(VENV)/test.done ## write every kind of message in every language to build/letters, to look at
	$(BIN)/python tests/translations/letters.py

pictures: letters ## the same as pictures, as a phone and a desktop show them, light and dark (brings chromium)
	PYTHONPATH=tests $(BIN)/python tests/translations/pictures.py

build/chromium:
	mkdir -p build
	tools/bring-chromium $(CURDIR)/$@

portraits: $(VENV)/test.done ## write the pictures of README, docs/pictures (brings chromium)
	PYTHONPATH=tests $(BIN)/python tests/browser/portraits.py

lint: $(VENV)/lint.done ## types, style, formatting
	$(BIN)/ruff check src tests tools packaging bench
	$(BIN)/ruff format --check src tests tools packaging bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/lint.done ## put the code into the shape that lint wants
	$(BIN)/ruff check --fix src tests tools packaging bench
	$(BIN)/ruff format src tests tools packaging bench

bench: $(VENV)/bench.done ## measure memory, times and sizes against references; ARGS="memory ready" for some of them
	-test -x build/alertmanager || $(MAKE) --no-print-directory build/alertmanager
	$(BIN)/python -m bench $(ARGS)

build/alertmanager:
	mkdir -p build/packages
	cd build/packages && apt-get download -qq prometheus-alertmanager && dpkg-deb --extract *.deb alertmanager
	cp build/packages/alertmanager/usr/share/prometheus/alertmanager/*.tmpl build/packages/
	@# Debian's path of the templates, becomes the working directory, in as many bytes
	sed 's#/usr/share/prometheus/alertmanager#.////////////////////////////////.#' \
		build/packages/alertmanager/usr/bin/prometheus-alertmanager > $@
	chmod +x $@

documents: $(VENV)/run.done ## make what is made from the code: config.env, docs/settings.md, manual page, completion
	$(BIN)/python -m tools.documents

deb: $(VENV)/build.done ## build the Debian package for this machine's architecture, into dist/; as root, installs debhelper
	packaging/build-deb $(BIN)/python dist

image: deb ## build the OCI image of that package, into dist/; as root, installs mmdebstrap, buildah and netavark
	packaging/container/build "$$(ls -t dist/*.deb | head -n 1)" dist/mastodon-update-check.oci.tar

release: $(VENV)/release.done ## build and sign a release from its tag, into dist/release; as root; RELEASE_KEY=fingerprint
	packaging/release $(BIN)/python dist/release

release-check: $(VENV)/release.done ## the same of this commit with a test key, and examine package, units and image
	packaging/check-release $(BIN)/python

acceptance: $(VENV)/test.done ## install and run it on real Debian 12 and 13, booted in containers; installs what that takes, as root
	packaging/acceptance/run $(BIN)/python $(ARGS)

lock: ## make the hash-locked lists again (needs uv)
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip --quiet install uv
	VENV=$(VENV)-lock sh requirements/lock.sh

clean: ## remove what the other targets made
	rm -rf $(VENV) $(VENV)-lock .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache dist build

$(VENV)/build.done: requirements/build.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip --disable-pip-version-check --quiet install --require-hashes -r requirements/build.txt
	touch $@

$(VENV)/run.done: $(VENV)/build.done requirements/run.txt pyproject.toml
	$(PIP) -r requirements/run.txt
	$(EDIT)
	touch $@

$(VENV)/test.done: $(VENV)/run.done requirements/test.txt
	$(PIP) -r requirements/test.txt
	touch $@

$(VENV)/lint.done: $(VENV)/run.done requirements/lint.txt
	$(PIP) -r requirements/lint.txt
	touch $@

$(VENV)/release.done: $(VENV)/build.done requirements/release.txt
	$(PIP) -r requirements/release.txt
	touch $@

$(VENV)/bench.done: $(VENV)/run.done requirements/bench.txt
	$(PIP) -r requirements/bench.txt
	touch $@
