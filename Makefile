# `make` lists what can be done. Everything is installed into .venv, nothing outside it, except that
# `make test` as root adds the Debian packages that it drives: a Chromium, ImageMagick, ffmpeg.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check

# $(call debian,packages) installs them where that is possible, and else fails.
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120
debian = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing $(1)" \
	  && $(APT) update && $(APT) install -y --no-install-recommends $(1); }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test quick slow lint format reference bench outside gpu clean chromium tools

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/run.stamp ## Start the page on http://127.0.0.1:7860 (ARGS="--port 8000" and so on)
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/dev.stamp chromium tools ## Run the tests, a few of the browser's too (ARGS="-k sobel" and so on)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

quick: $(VENV)/dev.stamp ## Run those that need no browser, no other program and no served page
	$(BIN)/python -m pytest -n $(WORKERS) -m "not (slow or browser or tool or served)" $(ARGS)

slow: $(VENV)/dev.stamp chromium tools ## Run the rest: what takes long, and all of the browser's
	@$(BIN)/python -m pytest -n $(WORKERS) -m slow $(ARGS) || { \
	  echo "Once more, one at a time, what failed: browsers that share a processor run late"; \
	  $(BIN)/python -m pytest -m slow --last-failed --last-failed-no-failures none $(ARGS); }

# In NumPy 2.2, the last for Python 3.10, the arguments of the type np.ndarray have no defaults yet.
OLD := import sys; print("--allow-any-generics" if sys.version_info < (3, 11) else "")
GENERICS = $(shell $(BIN)/python -c '$(OLD)')

lint: $(VENV)/dev.stamp reference ## Check rules, format, floors and types, and build the reference
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy $(GENERICS)
	$(BIN)/oxlint --deny-warnings -A no-unused-vars kernel_demo/ui

format: $(VENV)/dev.stamp ## Put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

reference: $(VENV)/dev.stamp ## Build the reference of the public names, in reference/
	$(BIN)/python .ci/reference.py

bench: $(VENV)/dev.stamp ## Measure, beside what people would use instead (ARGS="learning" for one)
	$(BIN)/python -m benchmarks $(ARGS)

outside: $(VENV)/dev.stamp ## Recover what other projects keep as tests (FOLDER=... has the files)
	FOLDER="$(FOLDER)" $(BIN)/python -m benchmarks outside

gpu: ## Test and measure the core on a CUDA GPU within six minutes, with the machine's own Python
	$(PYTHON) -m benchmarks.gpu $(ARGS)

clean: ## Remove .venv and every cache
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache bench-results outside-files reference
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is the last thing that venv makes: its presence says that .venv is whole.
$(BIN)/pip:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3.10; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue; \
	  echo "Making $(VENV) with $$python"; \
	  "$$python" -m venv $(VENV) >/dev/null 2>&1 && exit 0; \
	  $(call debian,python3-venv) && "$$python" -m venv $(VENV) && exit 0; \
	  echo "$$python cannot make $(VENV); on Debian: apt install python3-venv" >&2; exit 1; \
	done; \
	echo "Python 3.10 or later is needed; name it by make PYTHON=/path/to/python3" >&2; exit 1

$(VENV)/run.stamp: requirements.txt | $(BIN)/pip
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt | $(BIN)/pip
	$(PIP) -r requirements-dev.txt
	@touch $(VENV)/run.stamp $@

# The browser of the machine, else Playwright's (if it starts: it needs libraries of the system),
# else Debian's. Without any, the tests say so: skipped, or failed where CI=true. Playwright's own
# driver wants libatomic, which a bare Debian lacks.
FIND_CHROMIUM = for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
	  [ -n "$$name" ] && "$$name" --version >/dev/null 2>&1 && exit 0; done
START_PLAYWRIGHT = $(BIN)/python -c 'from playwright.sync_api import sync_playwright as start; \
	  p = start().start(); p.chromium.launch(args=["--no-sandbox"]).close(); p.stop()' 2>/dev/null

chromium: $(VENV)/dev.stamp
	@$(BIN)/playwright --version >/dev/null 2>&1 || $(call debian,libatomic1); \
	$(FIND_CHROMIUM); $(START_PLAYWRIGHT) && exit 0; \
	echo "No Chromium here: trying Playwright's"; \
	$(BIN)/playwright install chromium && $(START_PLAYWRIGHT) && exit 0; \
	$(call debian,chromium fonts-dejavu-core); \
	$(FIND_CHROMIUM); echo "No Chromium could be had" >&2

# Some tests hold our results against ImageMagick's and ffmpeg's; they are skipped without them.
tools:
	@missing=; \
	magick --version >/dev/null 2>&1 || convert-im6.q16 --version >/dev/null 2>&1 \
	  || convert --version 2>/dev/null | grep -q ImageMagick || missing="imagemagick"; \
	ffmpeg -version >/dev/null 2>&1 || missing="$$missing ffmpeg"; \
	[ -z "$$missing" ] || $(call debian,$$missing) \
	  || echo "Not here, so their tests are skipped: $$missing"
