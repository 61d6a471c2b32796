# What each target does is in CONTRIBUTING.md. Every target sets up what it needs on a Debian or Ubuntu machine that has Go.

GO ?= go
BIN := bin/lycosa
# BENCH=-quick is the short form of bench.
BENCH ?=
KILLS ?= 200
FUZZTIME ?= 60s
SOAKTIME ?= 2m

# Debian packages: LuaJIT to build, luacheck to lint, the peer that data files and figures are compared with, and what
# runs a client in JavaScript.
DEPS_BUILD := gcc libc6-dev libluajit-5.1-dev
DEPS_TEST := $(DEPS_BUILD) lua-check tarantool
DEPS_NODE := nodejs npm

# The packages that need neither LuaJIT nor a server's binary; the race detector watches their tests.
BELOW_LUA = $$($(GO) list -f '{{.ImportPath}} {{.Deps}}' ./... | \
	grep -v -e internal/luajit -e /bench -e /examples -e /conformance -e /integration -e /crash -e /soak | cut -d' ' -f1)

.PHONY: run build test race clients lint bench profile bench-crowd crash soak fuzz fmt deps deps-test deps-node clean

build: deps
	$(GO) build -trimpath -o $(BIN) ./cmd/lycosa

run: build
	@echo 'Starting examples/override on port 3301, with its data in bin/example. Its client: go run ./examples/override'
	@mkdir -p bin/example
	cd bin/example && exec ../lycosa ../../examples/override/init.lua

test: deps-test lint
	$(GO) test -timeout 10m ./...
	$(MAKE) clients
	$(MAKE) race

race: deps
	$(GO) test -race -short -timeout 4m $(BELOW_LUA)

clients: build deps-node
	$(GO) run ./clients/gotarantool -server $(BIN)
	clients/npm/run.sh $(BIN)

lint: deps-test
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not as gofmt wants it: $$unformatted"; exit 1; }
	$(GO) vet ./...
	.ci/staticcheck
	luacheck -q lua/builtin examples bench clients

bench: build deps-test
	$(GO) run ./bench -server $(BIN) -baseline bench/baseline.json $(BENCH)

profile: deps
	$(GO) build -trimpath -pgo=off -o $(BIN) ./cmd/lycosa
	$(GO) run ./bench -server $(BIN) -profile cmd/lycosa/default.pgo

bench-crowd: build
	$(GO) run ./bench/crowd -server $(BIN)

crash: build
	$(GO) test ./crash -v -timeout 30m -binary $(abspath $(BIN)) -kills $(KILLS)

soak: deps
	$(GO) test ./soak -run TestSoak -count 1 -v -timeout 10m -soak $(SOAKTIME)

fuzz: deps
	.ci/fuzz $(FUZZTIME)

fmt:
	gofmt -w $$(git ls-files '*.go')

deps:
	@.ci/deps $(DEPS_BUILD)

deps-test:
	@.ci/deps $(DEPS_TEST)

# Node.js may come from elsewhere.
deps-node:
	@command -v node >/dev/null && command -v npm >/dev/null || .ci/deps $(DEPS_NODE)

clean:
	rm -rf bin
