# make lab: set up if need be, then open the first lesson     make test: set up if need be, then test lessons and helpers

PYTHON ?= $(if $(filter Windows_NT,$(OS)),python,python3)
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready
FIRST := notebooks/00_start_here.ipynb
NOTEBOOKS ?= $(sort $(wildcard notebooks/*.ipynb))
# in a container one is often root; Jupyter then wants to be told that this is meant
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)
# children import the helpers again and again; without compiled files each would have to compile them first
unexport PYTHONDONTWRITEBYTECODE
# options passed on, as in: make lab ARGS="--no-browser --port 8899"
ARGS ?=

.PHONY: lab test browser lint notebooks benchmark requirements clean

lab: $(READY)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/$(FIRST) $(AS_ROOT) $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest --ignore=tests/browser $(ARGS)

# use every lesson in JupyterLab, as a learner does; skipped with a word when there is no Chromium or Chrome
browser: $(READY)
	$(BIN)/python -m pytest tests/browser $(ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# run every cell again, and keep the outputs; name one with NOTEBOOKS=notebooks/01_pipe.ipynb
notebooks: $(READY)
	$(BIN)/python -m tools.execute_notebooks $(NOTEBOOKS)

benchmark: $(READY)
	for script in tests/benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# the newest versions that the ranges in pyproject.toml allow, for every Python and system at once
requirements: $(READY)
	$(BIN)/python -m pip install --quiet uv
	echo "-e .[dev]" | $(BIN)/uv pip compile - --universal --python-version 3.11 --upgrade --no-annotate \
		--custom-compile-command "make requirements" --quiet --output-file requirements.txt

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed, this is ' + sys.version.split()[0] + '. Name another one: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@$(BIN)/python -c "import pathlib; pathlib.Path('$(READY)').touch()"

clean:
	rm -rf $(VENV) artefacts
