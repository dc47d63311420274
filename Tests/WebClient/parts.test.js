import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../Web/client/backoff.js';
import { EventReader } from '../../Web/client/event-reader.js';
import { SendQueue } from '../../Web/client/send-queue.js';
import { settle } from './fake-socket.js';

test('delays double up to the longest, and start over', () => {
  const backoff = new Backoff(1000, 30_000);
  assert.deepEqual(Array.from({ length: 7 }, () => backoff.next()), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  backoff.reset();
  assert.equal(backoff.next(), 1000);
});

test('jitter moves a delay by its part, either way', () => {
  assert.equal(new Backoff(1000, 30_000, 0.5, () => 0).next(), 500);
  assert.equal(new Backoff(1000, 30_000, 0.5, () => 1).next(), 1500);
});

test('an event stream is read in whatever pieces it comes', () => {
  const text = 'retry: 3000\n\n: quiet\n\nid: 7\nevent: gap\ndata: {"a":1}\n\ndata: x\r\ndata: y\r\n\r\nid: 8\n\n';
  const expected = [{ id: '7', event: 'gap', data: '{"a":1}' }, { data: 'x\ny' }];
  // A carriage return at a piece's end is the one place where pieces matter; the server sends none.
  for (const size of [1000, 60, 13]) {
    const reader = new EventReader();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...reader.push(text.slice(at, at + size)));
    assert.deepEqual(events, expected, `pieces of ${size}`);
    assert.equal(reader.retry, 3000);
  }
});

test('a queue keeps its order over failures, and tries the temporary ones again', async () => {
  const sent = [];
  let failures = 3;
  const queue = new SendQueue(async (item) => {
    sent.push(item);
    if (item === 'b' && failures > 0) {
      failures -= 1;
      throw Object.assign(new Error('away'), { temporary: true });
    }
    if (item === 'c') throw Object.assign(new Error('no'), { temporary: false });
    return item.toUpperCase();
  }, { backoff: new Backoff(1, 2) });
  const answers = await Promise.allSettled(['a', 'b', 'c', 'd'].map((item) => queue.push(item)));
  assert.deepEqual(answers.map(({ value, reason }) => value ?? reason.message), ['A', 'B', 'no', 'D']);
  assert.deepEqual(sent, ['a', 'b', 'b', 'b', 'b', 'c', 'd']);
});

test('a full queue refuses, a closed one rejects what waits', async () => {
  const queue = new SendQueue(() => Promise.reject(Object.assign(new Error(), { temporary: true })), {
    backoff: new Backoff(1000, 1000), limit: 2,
  });
  const waiting = Promise.allSettled([queue.push(1), queue.push(2)]);
  await assert.rejects(queue.push(3), /wait already/);
  await settle();
  queue.close();
  assert.deepEqual((await waiting).map(({ status }) => status), ['rejected', 'rejected']);
  await assert.rejects(queue.push(4), /closed/);
});
