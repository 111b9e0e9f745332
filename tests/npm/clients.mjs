// graphql-ws and graphql-sse against the server of the first argument: every line must be answered as it says.
import assert from 'node:assert/strict';
import { createClient as overStreams } from 'graphql-sse';
import { createClient as overSockets } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.argv[2];
const TICKS = 'subscription ($n: Int!) { ticks(count: $n) { number } }';

function all(client, payload) {
  return new Promise((resolve, reject) => {
    const got = [];
    client.subscribe(payload, { next: (value) => got.push(value), error: reject, complete: () => resolve(got) });
  });
}

async function refusal(client, payload) {
  try {
    const [answer] = await all(client, payload);
    return answer.errors[0].extensions.code;
  } catch (errors) {
    if (!Array.isArray(errors)) throw errors;
    return errors[0].extensions.code;
  }
}

const WRONG = [
  [{ query: '{' }, 'GRAPHQL_PARSE_FAILED'],
  [{ query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
  [{ query: 'query A { viewer } query B { viewer }', operationName: 'C' }, 'BAD_USER_INPUT'],
  [{ query: 'query A { viewer } query B { viewer }' }, 'BAD_USER_INPUT'],
  [{ query: TICKS, variables: {} }, 'BAD_USER_INPUT'],
];

async function check(name, client, viewer) {
  assert.equal((await all(client, { query: '{ viewer }' }))[0].data.viewer, viewer);
  for (const [payload, code] of WRONG) assert.equal(await refusal(client, payload), code);
  const ticks = await all(client, { query: TICKS, variables: { n: 3 } });
  assert.deepEqual(ticks.map(({ data }) => data.ticks.number), [1, 2, 3]);
  assert.deepEqual(ticks.map(({ extensions }) => extensions.cursor), ['1', '2', '3']);
  console.log(`${name}: queries, ${WRONG.length} refusals and a subscription are answered as they should be`);
}

let closed = 0;
let pongs = 0;
const sockets = overSockets({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  lazy: false,
  retryAttempts: 0,
  keepAlive: 100,
  connectionParams: { authorization: 'Bearer fan' },
  on: { closed: () => { closed += 1; }, pong: () => { pongs += 1; } },
});
await check('graphql-ws', sockets, 'fan');
assert.equal(await refusal(sockets, { query: '' }), 'BAD_REQUEST');
await new Promise((resolve) => { setTimeout(resolve, 300); });
assert.ok(pongs > 0 && closed === 0, 'one socket lived through all of it');
sockets.dispose();
await check('graphql-sse', overStreams({ url, retryAttempts: 0, fetchFn: fetch }), 'anonymous');
