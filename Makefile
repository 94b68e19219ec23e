# `make demo` tags the sample pages; `make test` runs every test; `make lint` checks style and types; `make mutants` says
# which small changes of the code no test notices.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
TYPING := build/typing

.PHONY: demo test lint mutants clean

demo: .venv/.core
	$(BIN)/wusum tag tests/pages/*.txt --format table

test: .venv/.dev
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# mypy reads packages by folder name: give it the names that the distribution gives them.
	@mkdir -p $(TYPING)/wusum
	@for part in model train eval; do ln -sfn ../../../$$part $(TYPING)/wusum/$$part; done
	MYPYPATH=$(TYPING) $(BIN)/mypy -p wusum.model -p wusum.train -p wusum.eval

mutants: .venv/.dev
	$(BIN)/python -m tests.mutation --sample 40 --report build/mutants.json

clean:
	rm -rf .venv build *.egg-info

.venv/.core: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e .
	touch $@

.venv/.dev: .venv/.core
	$(PIP) -e '.[train,eval,ray,dev]'
	touch $@
