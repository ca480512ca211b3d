# `make demo` and `make test` set up all they need: as root the Debian packages, and always the virtual environment.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
PACKAGES := openvswitch-switch iproute2 python3-venv
BROWSER := chromium chromium-driver graphviz
MACHINE := qemu-system-x86 debootstrap e2fsprogs openssh-client

# Of kernel-test: the virtual machine's Debian (bullseye, bookworm, trixie), and how much is run (short, whole).
SUITE ?= bookworm
PART ?= whole

.PHONY: demo test kernel-test lint bench man setup clean

demo: setup
	@$(VENV)/bin/ovsnp lab demo

test: setup browser
	@$(VENV)/bin/pytest -n 2 --dist loadfile

kernel-test: setup machine
	@$(VENV)/bin/python -m tests.kernel test --suite $(SUITE) --part $(PART)

lint: setup
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: setup
	@$(VENV)/bin/python -m bench

man: setup
	@$(VENV)/bin/python -m ovsnp.cli.man_pages man

setup: packages $(READY)

.PHONY: packages browser machine
packages:
	@$(call install,$(PACKAGES))

# Tests of pages and graphs are skipped where these cannot be had.
browser:
	@$(call install,$(BROWSER)) || true

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

$(READY): pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV)
