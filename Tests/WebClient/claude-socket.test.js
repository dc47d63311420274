import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import DefaultExport, { ClaudeSocket } from '../../Web/client/claude-socket.js';
import { FakeSocket, settle, until } from './fake-socket.js';

const options = { WebSocket: FakeSocket, reconnectDelay: 4, maxReconnectDelay: 16 };
beforeEach(() => { FakeSocket.all = []; });

function opened(more = {}) {
  const client = new ClaudeSocket('ws://host:3100', { ...options, ...more });
  client.connect();
  FakeSocket.last.open();
  return client;
}

test('the class is the named and the default export', () => assert.equal(DefaultExport, ClaudeSocket));

test('the session is appended to the address, encoded', () => {
  new ClaudeSocket('ws://host:3100', options).connect();
  assert.equal(FakeSocket.last.url, 'ws://host:3100?session=default');
  new ClaudeSocket('ws://host/x?a=1', { ...options, session: 'a b&c' }).connect();
  assert.equal(FakeSocket.last.url, 'ws://host/x?a=1&session=a%20b%26c');
});

test('connecting twice opens one connection', () => {
  const client = new ClaudeSocket('ws://host', options);
  client.connect();
  client.connect();
  assert.equal(client.connecting, true);
  assert.equal(client.connected, false);
  FakeSocket.last.open();
  client.connect();
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(client.connecting, false);
  assert.equal(client.connected, true);
  client.disconnect();
});

test('messages have the wire format', () => {
  const client = opened({ session: 's', user: 'alice' });
  client.send('Hello!');
  client.fetchHistory();
  client.fetchHistory(7);
  client.respondToPermission('abcde', true);
  const [message, ...rest] = FakeSocket.last.sent;
  assert.match(message.ts, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  delete message.ts;
  assert.deepEqual(message, { type: 'message', session_id: 's', content: 'Hello!', user: 'alice' });
  assert.deepEqual(rest, [
    { type: 'fetch_history', session_id: 's', limit: 50 },
    { type: 'fetch_history', session_id: 's', limit: 7 },
    { type: 'permission_response', request_id: 'abcde', allowed: true },
  ]);
  client.disconnect();
});

test('what is sent while not connected is dropped', () => {
  const client = new ClaudeSocket('ws://host', options);
  client.send('lost');
  client.connect();
  client.send('lost too');
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent, []);
  client.disconnect();
});

test('listeners hear their own type first, then message; unknown types are messages only', () => {
  const client = opened();
  const heard = [];
  for (const name of ['reply', 'status', 'history', 'permission_request', 'error', 'message']) {
    client.on(name, ({ type }) => heard.push(`${name}:${type}`));
  }
  for (const type of ['reply', 'status', 'history', 'permission_request', 'error', 'permission_resolved']) {
    FakeSocket.last.say({ type });
  }
  FakeSocket.last.say('not JSON');
  assert.deepEqual(heard, [
    'reply:reply', 'message:reply', 'status:status', 'message:status', 'history:history', 'message:history',
    'permission_request:permission_request', 'message:permission_request', 'error:error', 'message:error',
    'message:permission_resolved',
  ]);
  client.disconnect();
});

test('on() answers what takes the listener away, off() does too, and a listener that throws harms nobody', (context) => {
  context.mock.method(console, 'error', () => {});
  const client = opened();
  let count = 0;
  const listener = () => { count += 1; };
  const stop = client.on('reply', () => { throw new Error('mine'); });
  client.on('reply', listener);
  FakeSocket.last.say({ type: 'reply' });
  assert.equal(count, 1);
  assert.equal(console.error.mock.callCount(), 1);
  stop();
  client.off('reply', listener);
  FakeSocket.last.say({ type: 'reply' });
  assert.equal(count, 1);
  client.disconnect();
});

test('a lost connection is opened again until disconnect()', async () => {
  const client = opened();
  let lost = 0;
  client.on('disconnected', () => { lost += 1; });
  FakeSocket.last.close(1006);
  assert.equal(lost, 1);
  await until(() => FakeSocket.all.length === 2, 'a second connection');
  FakeSocket.last.close(1006);
  await until(() => FakeSocket.all.length === 3, 'a third connection');
  FakeSocket.last.open();
  client.disconnect();
  await settle(40);
  assert.equal(FakeSocket.all.length, 3);
});

test('reconnect: false stays away', async () => {
  opened({ reconnect: false });
  FakeSocket.last.close(1006);
  await settle(30);
  assert.equal(FakeSocket.all.length, 1);
});
