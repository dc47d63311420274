import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation } from '../../Web/conversation/model.js';

let seq = 0;
/** Events by `[type, data]`, numbered. */
const tell = (conversation, ...events) => {
  for (const [type, data] of events) conversation.apply({ seq: (seq += 1), time: '2026-01-01T00:00:00Z', type, data });
};
const shape = ({ items }) => items.map((item) => [item.type, item.text ?? item.name ?? item.outcome ?? item.data?.id]);

const TURN = [
  ['input.accepted', { text: 'hi', submit: true, by: 'ann', client_id: 'c1', prompt_id: 'p1' }],
  ['session.activity', { activity: 'working' }],
  ['input.delivered', { input_seq: 1, prompt_id: 'p1' }],
  ['turn.started', { prompt_ids: ['p1'], prompt: 'hi' }],
  ['message.user', { text: 'hi', prompt_id: 'p1' }],
  ['message.delta', { message_id: 'm1', index: 0, kind: 'thinking', text: 'hm' }],
  ['message.thinking', { message_id: 'm1', text: 'hmm' }],
  ['message.delta', { message_id: 'm1', index: 1, kind: 'text', text: 'Hel' }],
  ['message.delta', { message_id: 'm1', index: 1, kind: 'text', text: 'lo' }],
  ['message.assistant', { message_id: 'm1', text: 'Hello.' }],
  ['tool.started', { tool_use_id: 't1', tool_name: 'Bash', tool_input: { command: 'ls' } }],
  ['tool.completed', { tool_use_id: 't1', tool_name: 'Bash', is_error: false, output: 'a b' }],
  ['turn.completed', { outcome: 'completed', duration_ms: 1200, cost_usd: 0.01, prompt_ids: ['p1'] }],
  ['session.activity', { activity: 'idle' }],
];
const EXPECTED = [
  ['prompt', 'hi'], ['thinking', 'hmm'], ['text', 'Hello.'], ['tool', 'Bash'], ['turn', 'completed'],
];

test('a turn is its prompt, its messages, its tools and its end, each once', () => {
  const conversation = new Conversation();
  conversation.sending('c1', 'hi');
  tell(conversation, ...TURN);
  assert.deepEqual(shape(conversation), EXPECTED);
  assert.deepEqual([conversation.outbox, conversation.waiting, conversation.turn], [[], [], null]);
  assert.equal(conversation.items.some(({ streaming }) => streaming), false);
  assert.equal(conversation.items[3].output, 'a b');
  assert.equal(conversation.activity, 'idle');
});

test('without its pieces a turn is the same', () => {
  const conversation = new Conversation();
  tell(conversation, ...TURN.filter(([type]) => type !== 'message.delta'));
  assert.deepEqual(shape(conversation), EXPECTED);
});

test('two texts of one message stay two, whatever piece comes when', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['message.delta', { message_id: 'm', index: 0, kind: 'text', text: 'one' }],
    ['message.assistant', { message_id: 'm', text: 'one' }],
    ['message.delta', { message_id: 'm', index: 2, kind: 'text', text: 'tw' }],
    ['message.assistant', { message_id: 'm', text: 'two' }]);
  assert.deepEqual(shape(conversation), [['text', 'one'], ['text', 'two']]);
});

test('what is written when the turn is cut short stays as far as it came', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['message.delta', { message_id: 'm', index: 0, kind: 'text', text: 'half a' }],
    ['turn.completed', { outcome: 'interrupted', reason: 'aborted_streaming', duration_ms: 1 }]);
  assert.deepEqual(shape(conversation), [['text', 'half a'], ['turn', 'interrupted']]);
  assert.equal(conversation.items[0].streaming, false);
});

test('what was told in part before the program ended is told whole once it is known', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['message.delta', { message_id: 'm', index: 0, kind: 'text', text: 'half a' }],
    ['turn.completed', { outcome: 'ended', reason: 'worker_lost', duration_ms: 1 }],
    ['message.assistant', { message_id: 'm', text: 'half a word' }]);
  assert.deepEqual(shape(conversation), [['text', 'half a word'], ['turn', 'ended']]);
});

test('of a text that was cut the pieces are kept when they have more', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['message.delta', { message_id: 'm', index: 0, kind: 'text', text: 'all of it' }],
    ['message.assistant', { message_id: 'm', text: 'all', truncated: true, bytes: 9 }],
    ['message.assistant', { message_id: 'n', text: 'all', truncated: true, bytes: 9 }]);
  assert.deepEqual(conversation.items.map(({ text, cut }) => [text, cut]), [['all of it', undefined], ['all', 9]]);
});

test('a prompt that comes while a turn runs waits, and begins where its turn does', () => {
  const conversation = new Conversation();
  tell(conversation, ...TURN.slice(0, 8),
    ['input.accepted', { text: 'second', prompt_id: 'p2', by: 'bob' }],
    ['prompt.queued', { prompt_id: 'p2' }],
    ['input.accepted', { text: 'third', prompt_id: 'p3', by: 'bob' }]);
  assert.deepEqual(conversation.waiting.map(({ text, state }) => [text, state]), [['second', 'queued'], ['third', 'queued']]);
  tell(conversation, ['prompt.withdrawn', { prompt_id: 'p2', by: 'bob' }], ...TURN.slice(9, 13),
    ['input.delivered', { prompt_id: 'p3' }], ['turn.started', { prompt_ids: ['p3'] }], ['message.user', { text: 'third', prompt_id: 'p3' }]);
  assert.deepEqual(conversation.waiting, []);
  assert.deepEqual(shape(conversation).slice(-2), [['turn', 'completed'], ['prompt', 'third']]);
  assert.ok(conversation.items.some(({ type, text }) => type === 'notice' && text.includes('took back')));
});

test('a prompt that was not taken stays in sight until somebody decides', () => {
  const conversation = new Conversation();
  conversation.sending('c9', 'lost?');
  conversation.delayed('the server was not reached');
  assert.equal(conversation.outbox[0].reason, 'the server was not reached');
  conversation.refused('c9', 'too large');
  assert.equal(conversation.outbox[0].state, 'refused');
  conversation.discard('c9');
  assert.deepEqual(conversation.outbox, []);
});

test('a permission is open until its first answer, and says whose that was', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['permission.requested', { id: 'q1', kind: 'tool', tool_name: 'Bash', tool_use_id: 't' }],
    ['permission.requested', { id: 'q2', kind: 'tool', tool_name: 'Bash' }]);
  assert.deepEqual(conversation.openPermissions.map(({ data }) => data.id), ['q1', 'q2']);
  tell(conversation,
    ['permission.resolved', { id: 'q1', resolution: 'allowed', by: 'ann', via: 'client' }],
    ['permission.resolved', { id: 'q1', resolution: 'denied', by: 'bob', via: 'client' }]);
  assert.deepEqual(conversation.openPermissions.map(({ data }) => data.id), ['q2']);
  assert.equal(conversation.items[0].resolution.by, 'ann');
});

test('what is open is what the session says, whatever this page missed', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['permission.requested', { id: 'gone' }], ['permission.requested', { id: 'kept' }],
    ['input.accepted', { text: 'begun while away', prompt_id: 'p8' }]);
  const standing = seq;
  tell(conversation, ['permission.requested', { id: 'newer' }], ['permission.resolved', { id: 'answered' }]);
  conversation.reconcile({
    seq: standing, activity: 'pending', permissions: [{ id: 'kept' }, { id: 'missed' }, { id: 'answered' }],
    queued: [{ prompt_id: 'p9', text: 'waits', by: 'ann' }],
  });
  assert.deepEqual(conversation.openPermissions.map(({ data }) => data.id), ['kept', 'newer', 'missed']);
  assert.deepEqual(conversation.waiting.map(({ text }) => text), ['waits']);
  assert.deepEqual(shape(conversation).filter(([type]) => type === 'prompt'), [['prompt', 'begun while away']]);
});

test('the end of a session closes what it asked, and a gap is told', () => {
  const conversation = new Conversation();
  tell(conversation, ['gap', { after: 0, through: 9 }], ['permission.requested', { id: 'q' }],
    ['session.parked', { reason: 'idle' }], ['session.running', {}]);
  assert.deepEqual(conversation.openPermissions, []);
  assert.deepEqual(conversation.items.filter(({ type }) => type === 'notice').map(({ tone }) => tone), ['gap', 'plain', 'plain']);
});

test('a copy says of what, and what the model says to a chat is in its place', () => {
  const conversation = new Conversation();
  const from = 'ad0c14f2-8e9c-4a5b-9d5e-0123456789ab';
  tell(conversation, ['session.forked', { from, by: 'ann', left: 2 }], ['channel.reply', { chat_id: 'c', text: 'half done' }],
    ['channel.status', { chat_id: 'c', status: 'testing', detail: '3 of 7' }], ['session.forked', { from: 'javascript:alert(1)' }]);
  assert.deepEqual(conversation.items.map(({ text, session }) => [text, session]), [
    ['ann began this session as a copy of another. 2 files were not copied.', from],
    ['Claude, to c: half done', undefined], ['Claude, to c: testing, 3 of 7', undefined],
    ['Somebody began this session as a copy of another.', undefined],
  ]);
});

test('a switch is told once, not as the rest that it takes', () => {
  const conversation = new Conversation();
  tell(conversation, ['session.switched', { kind: 'terminal', by: 'ann' }], ['session.parking', {}],
    ['session.parked', { reason: 'requested' }], ['session.running', {}], ['session.parked', { reason: 'idle' }]);
  assert.deepEqual(shape(conversation), [
    ['notice', 'ann went on with it as a terminal.'], ['notice', 'The session was parked (idle).'],
  ]);
});

test('a subagent\'s words belong to the tool that it is', () => {
  const conversation = new Conversation();
  tell(conversation,
    ['tool.started', { tool_use_id: 'task', tool_name: 'Task', tool_input: {} }],
    ['message.assistant', { message_id: 'm', text: 'inside', parent_tool_use_id: 'task' }]);
  assert.equal(conversation.items[1].parent, 'task');
});

test('only what changed is told as changed', () => {
  const conversation = new Conversation();
  tell(conversation, ['message.delta', { message_id: 'm', index: 0, kind: 'text', text: 'a' }], ['message.assistant', { message_id: 'x', text: 'b' }]);
  assert.equal(conversation.takeChanges().size, 2);
  tell(conversation, ['message.delta', { message_id: 'm', index: 0, kind: 'text', text: 'a' }]);
  assert.deepEqual([...conversation.takeChanges()], [conversation.items[0].id]);
});

// What came before

const TALK = [
  ['session.running', {}],
  ['session.settings', { model: 'one' }],
  ...TURN,
  ['input.accepted', { text: 'more', submit: true, by: 'ann', client_id: 'c2', prompt_id: 'p2' }],
  ['turn.started', { prompt_ids: ['p2'] }],
  ['message.user', { text: 'more', prompt_id: 'p2' }],
  ['input.accepted', { text: 'later', submit: true, by: 'bob', client_id: 'c3', prompt_id: 'p3' }],
  ['prompt.queued', { prompt_id: 'p3' }],
  ['tool.started', { tool_use_id: 't2', tool_name: 'Task', tool_input: {} }],
  ['message.assistant', { message_id: 'm2', text: 'inside', parent_tool_use_id: 't2' }],
  ['permission.requested', { id: 'q1', kind: 'tool', tool_name: 'Bash', tool_input: { command: 'rm' } }],
  ['permission.resolved', { id: 'q1', resolution: 'allowed', by: 'ann' }],
  ['turn.retrying', { attempt: 1, max_retries: 3, delay_ms: 1000 }],
  ['turn.retrying', { attempt: 2, max_retries: 3, delay_ms: 1000 }],
  ['tool.completed', { tool_use_id: 't2', tool_name: 'Task', output: 'done' }],
  ['turn.completed', { outcome: 'completed', duration_ms: 5 }],
  ['turn.started', { prompt_ids: ['p3'] }],
  ['message.user', { text: 'later', prompt_id: 'p3' }],
  ['permission.requested', { id: 'q2', kind: 'tool', tool_name: 'Bash', tool_input: { command: 'ls' } }],
].map(([type, data], at) => ({ seq: at + 1, time: '2026-01-01T00:00:00Z', type, data }));
const STANDING = {
  seq: TALK.length, activity: 'pending', settings: { model: 'two' }, queued: [], turn: { since: 'then' },
  permissions: [{ id: 'q2', kind: 'tool', tool_name: 'Bash', tool_input: { command: 'ls' } }],
};
const told = (conversation) => [conversation.items, conversation.waiting, conversation.openPermissions]
  .map((items) => items.map(({ version, ...item }) => item));

test('read from its end backwards a conversation is the same, wherever the pages meet', () => {
  const whole = new Conversation();
  for (const event of TALK) whole.apply(event);
  whole.reconcile(STANDING);
  for (let at = 0; at < TALK.length; at += 1) {
    for (const middle of [0, Math.floor(at / 2)]) {
      const conversation = new Conversation();
      for (const event of TALK.slice(at)) conversation.apply(event);
      conversation.reconcile(STANDING);
      if (middle > 0) conversation.prepend(TALK.slice(middle, at));
      conversation.prepend(TALK.slice(0, middle || at));
      assert.deepEqual(told(conversation), told(whole), `pages meet at ${at} and ${middle}`);
      assert.deepEqual(conversation.settings, whole.settings);
      assert.deepEqual([conversation.activity, conversation.turn, conversation.seq], ['pending', { since: 'then' }, STANDING.seq]);
    }
  }
});

test('what was there stays the same object, and is told as changed', () => {
  const conversation = new Conversation();
  for (const event of TALK.slice(-1)) conversation.apply(event);
  const [card] = conversation.items;
  conversation.takeChanges();
  conversation.prepend(TALK.slice(0, -1));
  assert.equal(conversation.items.at(-1), card);
  assert.ok(conversation.takeChanges().has(card.id));
  assert.equal(conversation.openPermissions[0], card);
});

test('a prompt that began after one asked where the session stands is not waiting once more is known', () => {
  const conversation = new Conversation();
  const at = TALK.findIndex(({ type, data }) => type === 'turn.started' && data.prompt_ids[0] === 'p3');
  const standing = { ...STANDING, seq: at, queued: [{ prompt_id: 'p3', text: 'later', by: 'bob' }], permissions: [] };
  conversation.reconcile(standing);
  for (const event of TALK.slice(at)) conversation.apply(event);
  assert.deepEqual(conversation.waiting, []);
  conversation.prepend(TALK.slice(0, at));
  assert.deepEqual(conversation.waiting, []);
  assert.equal(conversation.items.filter(({ type, text }) => type === 'prompt' && text === 'later').length, 1);
});

test('what this page is sending, and its pictures, outlive it', () => {
  const conversation = new Conversation();
  const picture = { media_type: 'image/png', data: '' };
  conversation.sending('c1', 'hi', [picture]);
  for (const event of TALK.slice(2, 4)) conversation.apply(event);
  conversation.sending('c9', 'not there yet');
  conversation.prepend(TALK.slice(0, 2));
  assert.deepEqual(conversation.outbox.map(({ clientID }) => clientID), ['c9']);
  assert.deepEqual(conversation.waiting[0].pictures, [picture]);
});

test('that something is missing is said once, at the top', () => {
  const gap = (seq) => ({ seq, time: '', type: 'gap', data: {} });
  const conversation = new Conversation();
  for (const event of [gap(9), ...TALK.slice(10)]) conversation.apply(event);
  conversation.prepend([gap(4), ...TALK.slice(5, 10)]);
  assert.deepEqual(conversation.items.map(({ tone }, at) => tone === 'gap' && at).filter((at) => at !== false), [0]);
});
