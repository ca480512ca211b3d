# `make demo` and `make test` set up all they need: as root the Debian packages, and always the virtual environment.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
PIP = $(VENV)/bin/pip install --quiet --disable-pip-version-check
LOCK = $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'
PACKAGES := openvswitch-switch iproute2 python3-venv
BROWSER := chromium chromium-driver graphviz
MACHINE := qemu-system-x86 debootstrap e2fsprogs openssh-client

# What meets every library, and takes a tenth of the time of all.
LIBRARY_TESTS := tests/unit --ignore=tests/unit/analysis/verification tests/golden tests/lint \
	tests/property/test_oracle.py tests/property/test_fuzz_expectations.py tests/ovs/test_apply.py tests/matrix/test_panel.py

# What depends most on the version of Open vSwitch, in a fifth of the time of all that meets it.
SWITCH_TESTS := tests/golden $(patsubst %,tests/ovs/test_%.py,apply flushing holders sctp service_packets spread)

# Of kernel-test: the virtual machine's Debian (bullseye, bookworm, trixie), and how much is run (short, whole).
SUITE ?= bookworm
PART ?= whole

.PHONY: demo test test-newest test-oldest test-trixie kernel-test cluster live lint lock bench man schemas setup clean

demo: setup
	@$(VENV)/bin/ovsnp lab demo

test: setup browser
	@$(VENV)/bin/pytest -n 2 --dist loadfile --durations=25

# With the newest and with the oldest libraries that pyproject.toml allows.
test-newest: RESOLUTION := highest
test-oldest: RESOLUTION := lowest-direct
test-newest test-oldest: test-%: setup browser
	@$(VENV)/bin/uv venv --quiet --clear --python $(PYTHON) $(VENV)-$*
	@$(VENV)/bin/uv pip install --quiet --python $(VENV)-$* --resolution $(RESOLUTION) -e '.[test]'
	@OVSNP_CLUSTERS=5 $(VENV)-$*/bin/pytest -n 2 --dist loadfile $(LIBRARY_TESTS)

# On Debian 13's Open vSwitch and Python; all: `tests/trixie tests/ovs tests/golden`.
test-trixie: debootstrap
	@tests/trixie -n 2 --dist loadfile $(SWITCH_TESTS)

kernel-test: setup machine
	@$(VENV)/bin/python -m tests.kernel test --suite $(SUITE) --part $(PART)

# etcd, kube-apiserver and kubectl for the tests that need an API server, unless KUBEBUILDER_ASSETS names them.
cluster: setup
	@$(VENV)/bin/python -m tests.cluster build

# A real API server, the lab with an agent on each node, and the demo's policies applied by kubectl.
live: cluster
	@$(VENV)/bin/python -m tests.cluster live

lint: setup
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: setup
	@$(VENV)/bin/python -m bench

man: setup
	@$(VENV)/bin/python -m ovsnp.cli.man_pages man

schemas: setup
	@$(VENV)/bin/python -m ovsnp.cli.schemas docs

setup: packages $(READY)

.PHONY: packages browser debootstrap machine
packages:
	@$(call install,$(PACKAGES))

# Tests of pages and graphs are skipped where these cannot be had.
browser:
	@$(call install,$(BROWSER)) || true

debootstrap:
	@$(call install,debootstrap) || true

machine:
	@$(call install,$(MACHINE))

define install
missing=$$(for package in $(1); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
if [ -n "$$missing" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
elif [ -n "$$missing" ]; then \
	echo "not installed (needs root and Debian):" $$missing >&2; \
fi
endef

# Nothing is installed that the locks do not name: what builds ovsnp and its libraries comes first, from its own lock.
$(READY): pyproject.toml requirements/build.lock requirements/test.lock
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements/build.lock
	@$(PIP) --require-hashes --no-build-isolation -r requirements/test.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# The newest of all libraries, for every Python that pyproject.toml allows, with hashes.
lock: setup
	@$(LOCK) --group build -o requirements/build.lock
	@$(LOCK) --extra test --constraint requirements/build.lock -o requirements/test.lock pyproject.toml

clean:
	rm -rf $(VENV) $(VENV)-newest $(VENV)-oldest
