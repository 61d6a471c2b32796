# What each target does is in CONTRIBUTING.md. Every target sets up what it needs on a Debian or Ubuntu machine that has Go.

GO ?= go
BIN := bin/lycosa
PACKAGES := ./...

# Debian packages: LuaJIT to build, luacheck to lint, the peer that data files and figures are compared with.
DEPS_BUILD := gcc libc6-dev libluajit-5.1-dev
DEPS_TEST := $(DEPS_BUILD) lua-check tarantool
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@latest

.PHONY: run build test bench lint deps deps-test fmt crash soak clean

build: deps
	$(GO) build -trimpath -o $(BIN) ./cmd/lycosa

run: build
	@echo 'Starting examples/override on port 3301, with its data in bin/example. Its client: go run ./examples/override'
	@mkdir -p bin/example
	cd bin/example && exec ../lycosa ../../examples/override/init.lua

test: deps-test lint
	CGO_ENABLED=0 $(GO) build $$($(GO) list $(PACKAGES) | grep -v -e /lua -e /internal/luajit -e /cmd/ -e /conformance -e /examples -e /bench)
	$(GO) test -timeout 15m $(PACKAGES)

lint: deps-test
	test -z "$$(gofmt -l $$(git ls-files '*.go'))"
	$(GO) vet $(PACKAGES)
	luacheck -q lua/builtin examples

bench: build
	$(GO) run ./bench -server $(BIN)

crash: build
	$(GO) test ./crash -v -timeout 30m -binary $(abspath $(BIN)) -kills 200

fmt:
	gofmt -w $$(git ls-files '*.go')

deps:
	@.ci/deps $(DEPS_BUILD)

deps-test:
	@.ci/deps $(DEPS_TEST)

clean:
	rm -rf bin
