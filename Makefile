# make demo: set up, and run the main job on a simulated lab.  make test: set up, and run the tests.
PYTHON ?= python3
VENV := .venv
DEMO := demo-output

.PHONY: demo test setup peers clean

demo: $(VENV)/.core
	@rm -rf $(DEMO)
	LABWRIGHT_HOME=$(DEMO) $(VENV)/bin/labwright run examples/worklists/dna_normalisation_96.csv \
		--workcell starlet --shortfall neat --approve "make demo"
	@LABWRIGHT_HOME=$(DEMO) $(VENV)/bin/labwright report last --out $(DEMO)/report
	@echo "Open $(DEMO)/report/report.html in a browser."

test: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -n auto --dist worksteal

setup: $(VENV)/.dev

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
		|| { echo "Python 3.11 or 3.12 is needed; name one with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.core

# The peers of the benchmarks, each in an environment of its own.
peers: $(VENV)/.dev
	$(VENV)/bin/python -m benchmarks.peers

clean:
	rm -rf $(VENV) $(DEMO) .peers build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
