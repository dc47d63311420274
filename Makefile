# Two commands matter: `make run` starts Rookery here, `make test` proves that it works.
# Both fetch what is missing first (Scripts/setup) and can be run again at once.

PORT ?= 3000
CONFIG ?= release
# How many tests run at once: all of them together would starve each other's processes.
WIDTH = --experimental-maximum-parallelization-width
IMAGES ?= minimal claude dev
# How often make faults kills each kind of process.
ROUNDS ?= 60
SOURCES = Package.swift Sources Tests Ops
SCRIPTS = Scripts/setup Scripts/run Scripts/lint Scripts/previous-worker Scripts/v2-machine .ci/run

.DEFAULT_GOAL := help
.PHONY: help run test previous v2 build lint fmt bench attacks faults images setup clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Build and start Rookery on http://127.0.0.1:3000 (PORT=… for another port)
	@Scripts/setup run
	@swift build -c $(CONFIG)
	@Scripts/run --config $(CONFIG) --port $(PORT)

test: ## Build everything and run every test, the browser's included
	@Scripts/setup test
	node --test Tests/WebClient/*.test.js
	swift build --build-tests
	swift test --skip-build $(WIDTH)=8 --skip '^EndToEndTests|^FaultTests|^SandboxTests|^LauncherTests'
	swift test --skip-build $(WIDTH)=4 --filter '^SandboxTests|^LauncherTests'
	swift test --skip-build --no-parallel --filter '^EndToEndTests|^FaultTests'

faults: ## Kill, stop, fill and corrupt everything, hundreds of times (ROUNDS=… per victim)
	@Scripts/setup test
	swift build --build-tests
	ROOKERY_FAULT_ROUNDS=$(ROUNDS) swift test --skip-build --no-parallel --filter '^FaultTests'

previous: ## Run sessions under a worker of the last release, or of the commit before (PREVIOUS=… for another)
	@Scripts/setup test
	swift build --build-tests
	worker=$$(Scripts/previous-worker $(PREVIOUS)) && \
	    ROOKERY_PREVIOUS_WORKER=$$worker swift test --skip-build --no-parallel --filter PreviousWorkerTests

build: ## Build the programs (CONFIG=debug for a quick one)
	@Scripts/setup run
	swift build -c $(CONFIG)

v2: ## Run the sandbox's and the launcher's tests under systemd with cgroup v2 alone, on a machine in QEMU, as root
	@Scripts/setup test
	@Scripts/setup machine
	swift build --build-tests
	Scripts/v2-machine .build/debug/rookeryPackageTests.xctest --testing-library swift-testing --no-parallel \
	    --filter '^SandboxTests|^LauncherTests'

lint: ## Check formatting and scripts
	@Scripts/lint

fmt: ## Format the Swift sources
	swift format --in-place --recursive $(SOURCES)

bench: ## Measure this machine and print the figures
	@Scripts/setup run
	@swift build -c release
	@python3 Ops/Benchmarks/bench.py
	@python3 Ops/Benchmarks/recovery.py
	@.build/release/sandbox-bench
	@python3 Ops/Benchmarks/neighbours.py
	@python3 Ops/Benchmarks/gateway.py

images: ## Build the images minimal, claude and dev, as root (IMAGES=… for others), and check each in a sandbox
	@Scripts/setup run
	@Scripts/setup images
	swift build -c $(CONFIG)
	@for name in $(IMAGES); do \
	    .build/$(CONFIG)/rookery image build "Images/$$name" && \
	    .build/$(CONFIG)/rookery sandbox run --image "$$name" -- /bin/sh -c 'ls -ld /usr/bin/sh /etc/ssl/certs' || exit; \
	done

attacks: ## Try to get out of the sandbox, and out of bubblewrap beside it
	@Scripts/setup attacks
	@swift build --product rookery-launcher
	@swift build --product rookery-init
	@swift build --product attacks
	@Scripts/attacks.py --all

setup: ## Fetch what building, running and testing need
	@Scripts/setup test

clean: ## Remove what was built (not what was fetched: that is .deps)
	rm -rf .build
