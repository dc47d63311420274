import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { beforeEach, test } from 'node:test';
import { RookerySession } from '../../Web/client/rookery-session.js';
import { FakeSocket, settle, until } from './fake-socket.js';

beforeEach(() => { FakeSocket.all = []; });

/** A server of a session's events and inputs that can be broken off at will. */
async function startServer() {
  const state = { events: [], streams: new Set(), requests: [], inputs: [], refuse: null, seen: new Set(), bodies: [] };
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    state.requests.push(`${request.method} ${request.url}`);
    state.authorization = request.headers.authorization;
    if (state.refuse) {
      response.writeHead(state.refuse, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'refused', detail: 'not now' }));
      return;
    }
    if (url.pathname.endsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('retry: 3000\n\n');
      const since = url.searchParams.get('since');
      if (since !== null) for (const event of state.events) if (event.seq > since) write(response, event);
      state.streams.add(response);
      response.on('close', () => state.streams.delete(response));
      return;
    }
    if (url.pathname.endsWith('/history')) {
      const before = Number(url.searchParams.get('before') ?? Infinity);
      const older = state.events.filter(({ seq }) => seq < before);
      const items = older.slice(-Number(url.searchParams.get('limit') ?? 300));
      response.end(JSON.stringify({ items, before: older.length > items.length ? items[0].seq : null }));
      return;
    }
    let body = '';
    request.on('data', (piece) => { body += piece; });
    request.on('end', () => {
      const input = JSON.parse(body || '{}');
      state.bodies.push(input);
      if (url.pathname.endsWith('/input') && !state.seen.has(input.client_id)) {
        state.seen.add(input.client_id);
        state.inputs.push(input.text);
      }
      if (state.loseAnswer) {
        state.loseAnswer = false;
        request.socket.destroy();
        return;
      }
      response.writeHead(202, { 'content-type': 'application/json' });
      response.end(JSON.stringify(url.pathname === '/v1/tickets' ? { ticket: 't/1' } : { seq: state.inputs.length }));
    });
  });
  const write = (response, event) => response.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    state,
    url: `http://127.0.0.1:${server.address().port}`,
    tell(seq, type, data = {}) {
      const event = { seq, type, data };
      state.events.push(event);
      for (const stream of state.streams) write(stream, event);
    },
    breakOff() { for (const stream of state.streams) stream.destroy(); },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function withSession(options, body) {
  const server = await startServer();
  const session = new RookerySession('s-1', {
    server: server.url, token: 'rk_x', WebSocket: FakeSocket, reconnectDelay: 5, maxReconnectDelay: 20, ...options,
  });
  try {
    await body(session, server);
  } finally {
    session.close();
    await server.close();
  }
}

test('events come once and in order over broken connections', () => withSession({ since: 0 }, async (session, server) => {
  const seen = [];
  session.on('event', ({ seq }) => seen.push(seq));
  session.open();
  await until(() => server.state.streams.size === 1, 'a stream');
  server.tell(1, 'turn.started');
  server.tell(4, 'message.assistant', { text: 'hi' });
  await until(() => seen.length === 2, 'two events');
  server.breakOff();
  server.tell(5, 'turn.completed');
  await until(() => seen.length === 3, 'the event that came while away');
  assert.deepEqual(seen, [1, 4, 5]);
  assert.equal(session.since, 5);
  assert.ok(server.state.requests.some((request) => request.endsWith('/events?since=4')));
  assert.equal(server.state.authorization, 'Bearer rk_x');
}));

test('a session refused for good is not asked for again', () => withSession({}, async (session, server) => {
  server.state.refuse = 404;
  const errors = [];
  session.on('error', (error) => errors.push(error));
  session.open();
  await until(() => errors.length === 1, 'the refusal');
  assert.equal(errors[0].status, 404);
  assert.equal(errors[0].message, 'not now');
  await settle(60);
  assert.equal(server.state.requests.length, 1);
}));

test('messages wait while the server is away, then go out in order', () => withSession({}, async (session, server) => {
  server.state.refuse = 503;
  const answers = Promise.all(['one', 'two', 'three'].map((text) => session.send(text)));
  await until(() => server.state.requests.length >= 2, 'a second attempt');
  assert.equal(session.pending, 3);
  server.state.refuse = null;
  assert.deepEqual(await answers, [{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
  assert.deepEqual(server.state.inputs, ['one', 'two', 'three']);
}));

test('a message whose answer was lost is not taken twice', () => withSession({}, async (session, server) => {
  server.state.loseAnswer = true;
  await session.send('once');
  assert.deepEqual(server.state.inputs, ['once']);
  assert.equal(server.state.requests.length, 2);
}));

test('open permissions are known, and answered', () => withSession({ since: 0 }, async (session, server) => {
  session.open();
  await until(() => server.state.streams.size === 1, 'a stream');
  server.tell(1, 'permission.requested', { id: 'p1', tool_name: 'Bash' });
  server.tell(2, 'permission.requested', { id: 'p2' });
  server.tell(3, 'permission.resolved', { id: 'p2' });
  await until(() => session.since === 3, 'the events');
  assert.deepEqual([...session.openPermissions.keys()], ['p1']);
  await session.answer('p1', 'deny', { message: 'no' });
  assert.equal(server.state.requests.at(-1), 'POST /v1/sessions/s-1/permissions/p1');
}));

test('a structured session takes prompts with images in their order, and commands once', () => withSession({}, async (session, server) => {
  server.state.refuse = 503;
  const delays = [];
  session.on('delayed', (error) => delays.push(error.message));
  const images = [{ media_type: 'image/png', data: 'AA==' }];
  const prompts = Promise.all([session.prompt('one', { images, clientID: 'c1' }), session.prompt('two', { clientID: 'c2' })]);
  await assert.rejects(session.setModel('opus'), { status: 503 });
  await until(() => delays.length > 0, 'word of the delay');
  assert.equal(delays[0], 'not now');
  server.state.refuse = null;
  session.hurry();
  await prompts;
  await session.withdraw('p1');
  await session.setPermissionMode('plan');
  await session.answer('q', 'allow', { answers: { 'Which?': 'That' } });
  assert.deepEqual(server.state.bodies, [
    { type: 'prompt', text: 'one', client_id: 'c1', images }, { type: 'prompt', text: 'two', client_id: 'c2' },
    { type: 'withdraw', prompt_id: 'p1' }, { type: 'set_permission_mode', mode: 'plan' },
    { decision: 'allow', answers: { 'Which?': 'That' } },
  ]);
}));

test('whoever hurries does not wait for the next attempt', () => withSession({ since: 0, reconnectDelay: 60_000, maxReconnectDelay: 60_000 }, async (session, server) => {
  session.open();
  await until(() => server.state.streams.size === 1, 'a stream');
  const lost = new Promise((resolve) => { session.on('disconnected', resolve); });
  server.breakOff();
  await lost;
  session.hurry();
  await until(() => server.state.streams.size === 1, 'the next stream');
}));

test('a terminal comes back by its mark, and with a repaint after loose bytes', () => withSession({}, async (session) => {
  const terminal = session.terminal({ cols: 100, rows: 30 });
  const output = [];
  terminal.on('output', (bytes, done) => { output.push(bytes.length); done(); });
  terminal.connect();
  await until(() => FakeSocket.all.length === 1, 'a socket');
  assert.match(FakeSocket.last.url, /^ws:.*\/v1\/sessions\/s-1\/terminal\?ticket=t%2F1$/);
  assert.equal(terminal.type('early'), true);
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.sent[0], { type: 'hello', mode: 'drive', cols: 100, rows: 30 });
  assert.equal(new TextDecoder().decode(FakeSocket.last.sent[1]), 'early');
  FakeSocket.last.say(new Uint8Array(70_000).buffer);
  FakeSocket.last.say({ type: 'mark', seq: 9 });
  assert.deepEqual(output, [70_000]);
  assert.deepEqual(FakeSocket.last.sent[2], { type: 'ack', seq: 9 });

  FakeSocket.last.close(1006);
  await until(() => FakeSocket.all.length === 2, 'a second socket');
  FakeSocket.last.open();
  assert.equal(FakeSocket.last.sent[0].since, 9);
  FakeSocket.last.say(new Uint8Array(3).buffer);
  FakeSocket.last.close(1006);
  await until(() => FakeSocket.all.length === 3, 'a third socket');
  FakeSocket.last.open();
  assert.equal(FakeSocket.last.sent[0].since, undefined);
  FakeSocket.last.close(4401, 'revoked');
  await settle(50);
  assert.equal(FakeSocket.all.length, 3);
}));

test('a mark is acknowledged when its bytes are drawn, not when they arrive', () => withSession({}, async (session) => {
  const terminal = session.terminal();
  const drawn = [];
  terminal.on('output', (_, done) => drawn.push(done));
  terminal.connect();
  await until(() => FakeSocket.all.length === 1, 'a socket');
  FakeSocket.last.open();
  FakeSocket.last.say(new Uint8Array(80_000).buffer);
  FakeSocket.last.say({ type: 'mark', seq: 3 });
  assert.equal(FakeSocket.last.sent.length, 1);
  drawn[0]();
  drawn[0]();
  assert.deepEqual(FakeSocket.last.sent.slice(1), [{ type: 'ack', seq: 3 }]);
}));

test('with a tail the newest events are told, then what follows; earlier ones are read by pages', async () => {
  const server = await startServer();
  for (let seq = 1; seq <= 1000; seq += 1) server.tell(seq, 'message.user');
  const session = new RookerySession('s', { server: server.url, tail: 100, reconnectDelay: 5, jitter: 0 });
  const told = [];
  session.on('event', ({ seq }) => told.push(seq));
  assert.equal(session.hasEarlier, false);
  session.open();
  await until(() => server.state.streams.size === 1);
  assert.deepEqual([told.length, told[0], told.at(-1), session.since], [100, 901, 1000, 1000]);
  assert.equal(session.hasEarlier, true);
  server.tell(1001, 'message.user');
  await until(() => told.at(-1) === 1001);
  // Over a break it goes on by number.
  server.breakOff();
  server.state.events.push({ seq: 1002, type: 'message.user', data: {} });
  await until(() => told.at(-1) === 1002);
  assert.equal(told.length, 102);
  assert.equal(server.state.requests.filter((line) => line.includes('/history')).length, 1);
  const pages = [];
  for (let page = await session.earlier(400); page.length; page = await session.earlier(400)) pages.push(page.map(({ seq }) => seq));
  assert.deepEqual(pages.map((page) => [page[0], page.at(-1)]), [[501, 900], [101, 500], [1, 100]]);
  assert.equal(session.hasEarlier, false);
  session.close();
  server.close();
});

test('a session without events has no tail, and is followed from its beginning', async () => {
  const server = await startServer();
  const session = new RookerySession('s', { server: server.url, tail: 100 });
  const told = [];
  session.on('event', ({ seq }) => told.push(seq));
  session.open();
  await until(() => server.state.streams.size === 1);
  server.tell(1, 'session.created');
  await until(() => told.length === 1);
  assert.ok(server.state.requests.includes('GET /v1/sessions/s/events?since=0'));
  session.close();
  server.close();
});
