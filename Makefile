# duoku: two commands are enough, `make run` and `make test`; the rest is for those who change it.
# What a target needs and the machine lacks is installed first (Debian packages by apt-get; see scripts/setup.sh).

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: build run test test-rust test-postgres test-browser test-s3 check fmt bench bench-transcode bench-deliver bench-upload bench-s3 bench-search bench-twins web clean help

# Outside the clone, so that a fresh clone does not compile everything again.
CARGO_TARGET_DIR ?= $(HOME)/.cache/duoku/target
export CARGO_TARGET_DIR

build: ## the program, optimised: $(CARGO_TARGET_DIR)/release/duoku
	@scripts/setup.sh build
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked

run: build ## build, start on http://127.0.0.1:8080 with data in .data/, import samples/ once
	@scripts/run.sh "$(CARGO_TARGET_DIR)/release/duoku"

test: ## everything: SQLite, PostgreSQL, browser
	@scripts/setup.sh build test
	@scripts/web.sh build
	@scripts/test.sh rust postgres browser

test-rust test-postgres test-browser: test-%: ## one part of `make test`
	@scripts/setup.sh build test
	@scripts/web.sh build
	@scripts/test.sh $*

test-s3: ## objects in a bucket: the suite on s3s-fs, then rclone, moto and Garage as servers
	@scripts/setup.sh build test buckets
	@scripts/web.sh build
	@scripts/test.sh s3

check: ## format, lints, fuzz targets, documentation, licences, TypeScript
	@scripts/setup.sh build check
	@scripts/web.sh build
	@scripts/check.sh

fmt: ## format the Rust sources
	@scripts/cargo.sh fmt --all

bench: ## the benchmarks of benches/
	@scripts/setup.sh build test
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked
	@benches/start.sh "$(CARGO_TARGET_DIR)/release/duoku"
	@scripts/cargo.sh bench --package indexer --locked

bench-transcode: ## the ladder against ffmpeg commands: see docs/transcoding.md (MODES="natural quality")
	@scripts/setup.sh build test
	@scripts/cargo.sh build --release --locked --package transcode --example ladder
	@benches/transcode.py "$(CARGO_TARGET_DIR)/release/examples/ladder" $(MODES) \
		--clips "$(CARGO_TARGET_DIR)/bench/clips" --work "$(CARGO_TARGET_DIR)/bench/work"

bench-deliver: ## delivery beside nginx: see docs/delivery.md (SCENES="playlist segment-1m")
	@scripts/setup.sh build bench
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked
	@benches/deliver.py "$(CARGO_TARGET_DIR)/release/duoku" $(SCENES) --work "$(CARGO_TARGET_DIR)/bench/deliver"

bench-upload: ## uploads beside nginx and @tus/server: see docs/delivery.md
	@scripts/setup.sh build bench
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked
	@benches/upload.py "$(CARGO_TARGET_DIR)/release/duoku" --work "$(CARGO_TARGET_DIR)/bench/upload"

bench-s3: ## reads of a bucket beside nginx: see docs/delivery.md (SCENES="cold warm crowd")
	@scripts/setup.sh build bench buckets
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked
	@benches/s3.py "$(CARGO_TARGET_DIR)/release/duoku" $(SCENES) --work "$(CARGO_TARGET_DIR)/bench/s3"

bench-search: ## search beside FTS5 and PostgreSQL: see docs/search.md (MODES="speed quality" RECORDS="100000 1000000")
	@scripts/setup.sh build bench-search
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked
	@benches/search.py "$(CARGO_TARGET_DIR)/release/duoku" $(MODES) --work "$(CARGO_TARGET_DIR)/bench/search" \
		--records $(or $(RECORDS),100000)

bench-twins: ## how well duplicates are found: see docs/duplicates.md
	@scripts/setup.sh build bench
	@scripts/web.sh build
	@scripts/cargo.sh build --release --locked
	@DUOKU="$(CARGO_TARGET_DIR)/release/duoku" benches/twins.py "$(CARGO_TARGET_DIR)/bench/twins"

web: ## web/dist, when the sources changed
	@scripts/setup.sh build
	@scripts/web.sh build

clean: ## what was built here (not .data/, not the shared target folder)
	rm -rf web/dist web/node_modules

help: ## this list
	@sed -nE 's/^([a-z][a-z0-9 -]*):[^#]*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s "$$(printf '\t')"
