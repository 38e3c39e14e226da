# Two commands matter: `make run` and `make test`. Both work in a fresh clone; second runs skip what is done.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8501
# Tests often wait for a browser or a server: three processes keep two cores busy.
TEST_PROCESSES ?= 3
export TRACIN_VIZ_HOME ?= $(CURDIR)/workspace

.PHONY: run test lint types demo screenshots catalogue benchmark acceptance clean

# For people who only look: make run READ_ONLY=1. Everything is shown, nothing can be changed, no demo is made.
ifneq ($(filter-out 0,$(READ_ONLY)),)
export TRACIN_VIZ_READ_ONLY := 1
endif

run: $(VENV)/.installed
ifndef TRACIN_VIZ_READ_ONLY
	@$(BIN)/python -m tracin_viz demo digits --if-missing
endif
	@echo "TracIn-Viz is at http://$(HOST):$(PORT)$(if $(TRACIN_VIZ_READ_ONLY), (read-only))"
	@$(BIN)/python -m streamlit run app.py --server.address=$(HOST) --server.port=$(PORT)

test: $(VENV)/.installed-dev browser lint types
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

demo: $(VENV)/.installed
	$(BIN)/python -m tracin_viz demo digits --if-missing
	$(BIN)/python -m tracin_viz demo commands --if-missing

screenshots: $(VENV)/.installed-dev browser
	$(BIN)/python -m tracin_viz demo digits --if-missing
	$(BIN)/python -m docs.screenshots --home $(TRACIN_VIZ_HOME)

# What the pages say and the catalogues of translated words do not have yet is added to them, untranslated.
catalogue: $(VENV)/.installed-dev
	$(BIN)/python -m docs.catalogue

# Measures against other tools, which live in an environment of their own. Some parts: make benchmark PARTS="W1 sketch"
PARTS ?= W1 W2 W3 sketch search real
benchmark: $(VENV)-benchmark/.installed
	$(VENV)-benchmark/bin/python benchmarks/run.py --only $(PARTS)

# Long runs with their limits: the spine, data readers, uploads, every format from files to scores, the recorder.
# Some of them: make acceptance PARTS_ACCEPTED="acceptance_data acceptance_formats"
PARTS_ACCEPTED ?= acceptance acceptance_data acceptance_upload acceptance_formats recorder_overhead acceptance_map acceptance_reruns acceptance_clusters acceptance_explore acceptance_report acceptance_exports acceptance_evidence acceptance_relabel acceptance_login
acceptance: $(VENV)/.installed-dev browser
	@failed=; $(BIN)/python -m pytest -m long -n 2 --dist loadscope || failed=" long tests"; for part in $(PARTS_ACCEPTED); do \
	  echo "== $$part"; $(BIN)/python -m benchmarks.$$part || failed="$$failed $$part"; \
	done; [ -z "$$failed" ] || { echo "missed:$$failed"; exit 1; }

# Debian's Chromium drives the browser tests; without root (or apt) the tests themselves say what to install.
.PHONY: browser
browser:
	@if ! command -v chromium >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	fi

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# pip takes torch as it is configured to (other installers pull gigabytes of CUDA); uv then takes seconds for the
# rest where pip takes minutes. Where uv cannot be had or does not get through, pip does it all.
define install
	@{ $(BIN)/python -m pip install --disable-pip-version-check -q uv $$(grep '^torch==' requirements.txt) \
	  && $(BIN)/uv pip install -q --python $(BIN)/python -r $(1); } \
	  || $(BIN)/python -m pip install --disable-pip-version-check -q -r $(1)
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
endef

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "installing what the app needs into $(VENV) (half a minute)"
	$(call install,requirements.txt)
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/.installed

$(VENV)-benchmark/.installed: requirements.txt benchmarks/requirements.txt benchmarks/alone.txt
	@echo "installing the other tools into $(VENV)-benchmark (two minutes)"
	@test -x $(VENV)-benchmark/bin/python || $(PYTHON) -m venv $(VENV)-benchmark
	@$(VENV)-benchmark/bin/python -m pip install --disable-pip-version-check -q -r benchmarks/requirements.txt
	@$(VENV)-benchmark/bin/python -m pip install --disable-pip-version-check -q --no-deps -r benchmarks/alone.txt -e .
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-benchmark build .pytest_cache .mypy_cache .ruff_cache
