// Talks with smoke.lua by the npm client tarantool-driver.
const assert = require('assert');
const {once} = require('events');
const Tarantool = require('tarantool-driver');

function connection(password) {
  return new Tarantool({host: '127.0.0.1', port: 33012, username: 'me', password, lazyConnect: true, retryStrategy: null});
}

async function main() {
  const stranger = connection('wrong');
  const refused = once(stranger, 'error');
  await assert.rejects(stranger.connect());
  assert.match((await refused)[0].message, /supplied credentials are invalid|Incorrect password/);

  const conn = connection('secret');
  await conn.connect();
  assert.strictEqual(await conn.ping(), true);
  assert.deepStrictEqual(await conn.insert('cars', [1, 'Audi']), [[1, 'Audi']]);
  assert.deepStrictEqual(await conn.insert('cars', [2, 'Škoda']), [[2, 'Škoda']]);
  await assert.rejects(conn.insert('cars', [2, 'VW']), /Duplicate key exists in unique index .pk. in space .cars./);
  assert.deepStrictEqual(await conn.replace('cars', [1, 'BMW']), [[1, 'BMW']]);
  assert.deepStrictEqual(await conn.update('cars', 'pk', [2], [['=', 1, 'Seat']]), [[2, 'Seat']]);
  await conn.upsert('cars', [['=', 1, 'Fiat']], [2, 'new']);
  await conn.upsert('cars', [['=', 1, 'Fiat']], [3, 'Dacia']);
  assert.deepStrictEqual(await conn.select('cars', 'name', 10, 0, 'eq', ['Fiat']), [[2, 'Fiat']]);
  assert.deepStrictEqual(await conn.select('cars', 'pk', 10, 1, 'all', []), [[2, 'Fiat'], [3, 'Dacia']]);
  assert.deepStrictEqual(await conn.delete('cars', 'pk', [1]), [[1, 'BMW']]);

  assert.deepStrictEqual(await conn.call('sum', 2, 3), [[5]]); // it calls the old way: each value becomes a tuple
  await assert.rejects(conn.call('nothing'), /Procedure 'nothing' is not defined/);
  assert.deepStrictEqual(await conn.eval('return ..., box.session.user()', 'a'), ['a', 'me']);
  if ((await conn.call('has_overrides'))[0][0]) {
    assert.deepStrictEqual(await conn.select('cars', 'pk', 77, 0, 'all', []), [[0, 'overridden']]);
  }
  conn.disconnect();
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
