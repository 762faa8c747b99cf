# Everything a newcomer needs: `make demo` and `make test`. Needs Python >= 3.11, make and a network.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
S3 := .venv-s3
export WATCHGLASS_DATA ?= ../shared/data
# Tests start Python some hundred times: none of them compiles everything anew, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-deep check fix bench eval peers s3 lock clean

define make_venv
	@test -n "$(PYTHON)" || { echo "Watchglass needs Python 3.11, 3.12 or 3.13 on the PATH. Install one, or run: make PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make a virtual environment here (ensurepip is missing). On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 2; }
endef

$(VENV)/run.stamp: requirements.txt pyproject.toml
	$(make_venv)
	@echo "Installing what Watchglass needs (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.txt
	@echo "Installing the tools for tests and checks (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/run.stamp
	@$(BIN)/watchglass demo $(ARGS)

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -n auto --dist loadscope --durations=25 $(ARGS)

# The same tests, with all that is drawn at random: before a release, and after a change of what they guard.
test-deep: export WATCHGLASS_THOROUGH := 1
test-deep: test

check: $(VENV)/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(VENV)/dev.stamp
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# What we are measured against (trackers, deface) and attacked with (faces, people, text). Another OpenCV: they live apart.
peers: $(PEERS)/peers.stamp

$(PEERS)/peers.stamp: requirements-peers.txt
	@test -n "$(PYTHON)" || { echo "Watchglass needs Python 3.11, 3.12 or 3.13 on the PATH."; exit 2; }
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "Installing what Watchglass is measured against (once) ..."
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.txt
	@touch $@

# Servers that speak S3, which tests of sealed originals in a bucket start by themselves. Without them those are skipped.
s3: $(S3)/s3.stamp

$(S3)/s3.stamp: requirements-s3.txt
	@test -n "$(PYTHON)" || { echo "Watchglass needs Python 3.11, 3.12 or 3.13 on the PATH."; exit 2; }
	@test -x $(S3)/bin/python || $(PYTHON) -m venv $(S3)
	@$(S3)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-s3.txt
	@touch $@

bench: $(VENV)/dev.stamp $(PEERS)/peers.stamp
	@for name in perception ledger portal fuzz paint leak seal misuse access audit; do $(BIN)/watchglass bench $$name $(ARGS) || exit $$?; done

eval: $(VENV)/dev.stamp $(PEERS)/peers.stamp
	@$(BIN)/watchglass eval $(ARGS)

# Resolve the locks anew: universally with markers from Python 3.11, with hashes, without index addresses.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q pyproject.toml --group build -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q pyproject.toml --group dev --extra openvino -c requirements.txt -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q --group peers -c requirements.txt -o requirements-peers.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q --group s3 -c requirements.txt -o requirements-s3.txt

clean:
	rm -rf $(VENV) $(PEERS) $(S3) demo-state
