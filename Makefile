# make lab: set up if need be, then open your copy of the first lesson
# make test: set up if need be, then test lessons and helpers

PYTHON ?= $(if $(filter Windows_NT,$(OS)),python,python3)
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready
# with what only maintainers need: linters, a browser's driver
READY_DEV := $(VENV)/ready-dev
NOTEBOOKS ?= $(sort $(wildcard notebooks/*.ipynb))
# in a container one is often root; Jupyter then wants to be told that this is meant
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)
# children import the helpers again and again; without compiled files each would have to compile them first
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement
TOUCH = $(BIN)/python -c "import pathlib; pathlib.Path('$@').touch()"
# options passed on, as in: make lab ARGS="--no-browser --port 8899"
ARGS ?=

.PHONY: lab fresh rerun share class matrix compare cards lesson test browser campaign lint notebooks student teacher assignment slides handout benchmark requirements clean

lab: $(READY)
	$(BIN)/python -m helpers lab $(AS_ROOT) $(ARGS)

# give one lesson back as new, and keep the copy that was there: make fresh NB=10_pipe
fresh: $(READY)
	$(BIN)/python -m helpers fresh $(NB)

# the cards of all lessons on one page to print, four on a sheet of A4
cards: $(READY)
	@$(BIN)/python -m tools.print_cards

# one file to send, with what you have predicted and solved: make share NAME=Ada
share: $(READY)
	$(BIN)/python -m helpers share $(NAME)

# for a teacher: a page that follows the files in a folder: make class FOLDER=/srv/class
class: $(READY)
	$(BIN)/python -m helpers class page $(FOLDER)

test: $(READY)
	$(BIN)/python -m pytest --ignore=tests/browser $(ARGS)

# use every lesson in JupyterLab, as a learner does; skipped with a word when there is no Chromium or Chrome;
# and what else needs a tool of maintainers: the explorer's JavaScript (Node comes with the driver of the browser), nbgrader, Dask,
# JupyterHub
browser: $(READY_DEV)
	$(BIN)/python -m pytest tests/browser tests/show/explorer/test_program_js.py tests/tools/test_nbgrader.py tests/experiments/test_cluster.py tests/classroom/test_hub.py notebooks/41_beyond_one_machine.ipynb $(ARGS)

# interrupt and kill kernels for some minutes; more with ARGS="--interrupts 1000 --kills 300 --seed 7"
campaign: $(READY_DEV)
	$(BIN)/python -m tests.campaign $(ARGS)

lint: $(READY_DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
# the helpers need nothing that only maintainers install, and all that is imported is declared
	$(BIN)/deptry helpers notebooks
	$(BIN)/deptry . --exclude "^[.]venv|^[.]git|^workbook" --ignore DEP002,DEP004

# lay the files of a new lesson, all tests of which pass: make lesson NAME=31_zero_copy
lesson: $(READY)
	@$(BIN)/python -m tools.new_lesson $(NAME)

# the experiments of the lessons under several Pythons: make matrix PYTHONS="3.11 3.12" METHODS="spawn fork" ARGS=round_trips
PYTHONS ?= 3.11 3.12 3.13
METHODS ?= spawn fork forkserver
matrix: $(READY_DEV)
	$(BIN)/python -m tools.matrix --pythons "$(PYTHONS)" --methods "$(METHODS)" $(ARGS)

# run a lesson in other settings, into results/: make rerun NB=12_shared_memory ARGS="-p workers 8 -p method fork";
# or the experiments, once on every machine of a Dask cluster: make rerun DASK=tcp://scheduler:8786
rerun: $(READY_DEV)
ifdef DASK
	$(BIN)/python -m helpers.experiments run --dask $(DASK) $(ARGS)
else
	$(BIN)/python -c "import pathlib; pathlib.Path('results').mkdir(exist_ok=True)"
	$(BIN)/papermill notebooks/$(NB).ipynb results/$(NB).ipynb --cwd notebooks --kernel python3 $(ARGS)
endif

# what differs by more than noise between folders of results: make compare A=results/before B=results/after
compare: $(READY)
	$(BIN)/python -m helpers.experiments compare $(A) $(B) $(ARGS)

# run every cell again, and keep the outputs; name one with NOTEBOOKS=notebooks/10_pipe.ipynb
notebooks: $(READY_DEV)
	$(BIN)/python -m tools.execute_notebooks $(NOTEBOOKS)

# an edition without solutions, one with all answers, executed here, and one for nbgrader, each in editions/;
# of some lessons only with NB="10_pipe 12_shared_memory"
student teacher: $(READY_DEV)
	$(BIN)/python -m tools.editions $@ $(NB)

assignment: $(READY)
	$(BIN)/python -m tools.editions nbgrader $(NB)

# a lesson as slides, in one file that needs no network, and on paper, with room for answers: make slides NB=10_pipe
slides handout: $(READY)
	$(BIN)/python -m tools.$@ $(NB)

benchmark: $(READY_DEV)
	for script in tests/benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# the newest versions that the ranges in pyproject.toml allow, for every Python and system at once
PIN := $(BIN)/uv pip compile - --universal --python-version 3.11 --upgrade --no-annotate --no-header --quiet
requirements: $(READY_DEV)
	echo "-e .[test]" | $(PIN) --output-file $(VENV)/test.txt
	echo "-e .[dev]" | $(PIN) --output-file $(VENV)/dev.txt $(VENV)/test.txt
	(grep "^#" requirements.txt; cat $(VENV)/test.txt) > $(VENV)/requirements.txt
	(grep "^#\|^-r" requirements-dev.txt; grep -vxFf $(VENV)/test.txt $(VENV)/dev.txt) > $(VENV)/requirements-dev.txt
	mv $(VENV)/requirements.txt $(VENV)/requirements-dev.txt .

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed, this is ' + sys.version.split()[0] + '. Name another one: make PYTHON=python3.12 ...')"
	@echo "Setting up $(VENV): once, for a minute or three."
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) requirements.txt
	@$(TOUCH)

$(READY_DEV): $(READY) requirements-dev.txt
	$(PIP_INSTALL) requirements-dev.txt
	@$(TOUCH)

clean:
	rm -rf $(VENV) artefacts editions
