#!/usr/bin/env bash
# Runs a smoke program and the own tests of the npm client tarantool-driver against a build of the server:
#
#   clients/npm/run.sh bin/lycosa
#
# The client and what its tests need are installed into a temporary directory; a machine that cannot fetch them goes
# without. The tests want servers on ports 33013 to
# 33015, which they kill and start by the command docker; the script docker stands in for it here.
set -euo pipefail

# Tests that fail for reasons of their own: this one wants an address where packets are dropped, not refused, which is up
# to the network.
EXPECTED=('timeout should close the connection when timeout')

SERVER=$(realpath "$1")
RUN_DIR=$(mktemp -d)
export SERVER RUN_DIR
cleanup() {
    for name in smoke tarantool reserve reserve_2; do
        docker kill "$name" || true
    done
    rm -rf "$RUN_DIR"
}
trap cleanup EXIT

cp "$(dirname "$0")"/* "$RUN_DIR"
cd "$RUN_DIR"
PATH=$RUN_DIR:$PATH
if ! npm install --silent --no-audit --no-fund --no-package-lock; then
    echo 'tarantool-driver cannot be fetched and is left out' >&2
    exit 0
fi
echo "tarantool-driver@$(node -p "require('./package.json').dependencies['tarantool-driver']")"

echo "dofile('$RUN_DIR/ready.lua')" >>smoke.lua
docker start smoke
timeout 60 node smoke.js
echo '    smoke.js        ok'

driver=$RUN_DIR/node_modules/tarantool-driver
for pair in tarantool:box reserve:box1 reserve_2:box2; do
    # The image that the tests are written for lets guests do everything.
    cat >"${pair%:*}.lua" <<LUA
dofile('$driver/test/${pair#*:}.lua')
box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})
dofile('$RUN_DIR/ready.lua')
LUA
    docker start "${pair%:*}"
done
(cd "$driver" && timeout 120 "$RUN_DIR/node_modules/.bin/mocha" --exit --reporter json \
    --reporter-options "output=$RUN_DIR/result.json" test/app.js >"$RUN_DIR/mocha.log" 2>&1) || true
if [ ! -s result.json ]; then
    cat mocha.log >&2
    exit 1
fi
node report.js result.json "${EXPECTED[@]}"
