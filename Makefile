# What one does with a clone of deadweight. `make` alone lists it.

SHELL := /bin/sh
# Debian keeps dockerd and its like, and Go itself, where an ordinary user's PATH does not look.
GO_TOOLS := .cache/go-bin
export PATH := $(CURDIR)/$(GO_TOOLS):$(PATH):/usr/sbin:/sbin:/usr/local/go/bin

BIN := .venv/bin
IMAGE := demo/image
# How many tests run at once, and whether their coverage is measured (COVERAGE=1).
JOBS ?= 2
COVERAGE ?=
# Options of `make bench`, such as BENCH='--small --runs 1'.
BENCH ?=
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 4

CHECKED := src tests benchmarks examples
TEST_PROGRAMS := skopeo umoci buildah dockerd=docker.io docker-registry htpasswd=apache2-utils openssl \
	chromium mmdebstrap strace bwrap=bubblewrap newuidmap=uidmap podman \
	/usr/share/doc/busybox-static=busybox-static gcc zstd strip=binutils rpmbuild=rpm db_load=db-util npm go=golang-go \
	jar=default-jdk-headless ruby gem=ruby ssh-keygen=openssh-client /usr/share/java/commons-io.jar=libcommons-io-java

# Applications of the corpus, such as CORPUS='nginx flask'; all, and their table in examples/corpus/RESULTS.md, if empty.
CORPUS ?=
CORPUS_PROGRAMS := mmdebstrap strace bwrap=bubblewrap npm go=golang-go gcc javac=default-jdk-headless musl-gcc=musl-tools

.PHONY: help demo test corpus lint format bench fuzz clean

help:
	@echo 'make demo     build a real image from Debian packages, analyse and slim it, write demo/report.html'
	@echo 'make test     run the tests'
	@echo 'make corpus   slim real applications, check that nothing broke, write examples/corpus/RESULTS.md (as root)'
	@echo 'make lint     check style, types and the direction of imports'
	@echo 'make fuzz     run each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make bench    measure against other tools, write benchmarks/RESULTS.md and SLIMMING.md (as root)'
	@echo 'make format   format the code'
	@echo 'make clean    remove everything that make made'

demo: $(IMAGE)/index.json
	@scripts/venv
	$(BIN)/deadweight analyze oci:$(IMAGE) --html demo/report.html
	@scripts/require strace bwrap=bubblewrap $$(test "$$(id -u)" -eq 0 || echo newuidmap=uidmap)
	$(BIN)/deadweight slim oci:$(IMAGE) --to oci:demo/slim
	@echo
	@echo 'Where the bytes were, to look around in: demo/report.html'

$(IMAGE)/index.json: examples/demo.toml examples/debian_image.py
	@scripts/venv
	@scripts/require mmdebstrap $$(test "$$(id -u)" -eq 0 || echo newuidmap=uidmap)
	@echo 'building an image from Debian packages, which takes a minute or two' >&2
	$(BIN)/python -m examples.debian_image examples/demo.toml $(IMAGE)

test:
	@scripts/venv test
	@scripts/require $(TEST_PROGRAMS)
	@scripts/go-tools $(GO_TOOLS)
	$(BIN)/python -m pytest -n $(JOBS) $(if $(COVERAGE),--cov)

corpus:
	@scripts/venv
	@test "$$(id -u)" -eq 0 || { echo 'make corpus: needs root, to build images and to start them in a chroot' >&2; exit 1; }
	@scripts/require $(CORPUS_PROGRAMS)
	$(BIN)/python -m examples.corpus table $(or $(CORPUS),--to examples/corpus/RESULTS.md)

lint:
	@scripts/venv lint test
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format:
	@scripts/venv lint test
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

fuzz:
	@scripts/venv fuzz
	scripts/fuzz $(FUZZ_SECONDS)

bench:
	@scripts/venv bench
	@scripts/require mmdebstrap skopeo umoci gzip zstd
	@scripts/go-tools $(GO_TOOLS)
	@$(BIN)/python -m compileall -q src # as pip leaves it behind
	$(BIN)/python -m benchmarks $(BENCH)
	@scripts/require $(CORPUS_PROGRAMS) dockerd=docker.io
	$(BIN)/python -m benchmarks.slimming $(CORPUS)

clean:
	rm -rf .venv .cache demo build dist htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
