import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../Web/conversation/outbox.js';
import { answerText, questionsOf, rememberedRules } from '../../Web/conversation/question.js';

const memory = () => {
  const kept = new Map();
  return {
    kept, getItem: (key) => kept.get(key) ?? null, removeItem: (key) => kept.delete(key),
    setItem: (key, value) => {
      if (value.length > 1000) throw new Error('full');
      kept.set(key, value);
    },
  };
};

test('what was not acknowledged outlives the page, in its order', () => {
  const storage = memory();
  const outbox = new Outbox('s', storage);
  outbox.keep({ clientID: 'a', text: 'one', images: [] });
  outbox.keep({ clientID: 'b', text: 'two', images: [] });
  assert.deepEqual(new Outbox('s', storage).entries.map(({ text }) => text), ['one', 'two']);
  assert.deepEqual(new Outbox('other', storage).entries, []);
  outbox.drop('a');
  outbox.drop('b');
  assert.equal(storage.kept.size, 0);
});

test('an outbox that cannot be kept or read harms nobody', () => {
  const storage = memory();
  const outbox = new Outbox('s', storage);
  outbox.keep({ clientID: 'a', text: 'x'.repeat(2000), images: [] });
  assert.deepEqual(outbox.entries, []);
  storage.kept.set('outbox:s', '{');
  assert.deepEqual(outbox.entries, []);
  assert.deepEqual(new Outbox('s', null).entries, []);
});

test('questions are read from their shape, and from nothing else', () => {
  const question = { question: 'Q?', header: 'H', multiSelect: true, options: [{ label: 'A', description: 'a' }, 'B'] };
  assert.deepEqual(questionsOf({ questions: [question] }), [{
    text: 'Q?', header: 'H', several: true, options: [{ label: 'A', description: 'a' }, { label: 'B', description: '' }],
  }]);
  for (const bad of [null, {}, { questions: [] }, { questions: [{}] }, { questions: [{ question: 'x' }] },
    { questions: [{ question: 'x', options: [1] }] }, { questions: [question, question] }]) {
    assert.equal(questionsOf(bad), null, JSON.stringify(bad));
  }
  assert.equal(answerText(['A', 'B'], ' c '), 'A, B, c');
  assert.equal(answerText([], '  '), '');
});

test('what is remembered is said as rules', () => {
  const cases = [
    [{ tool_name: 'Bash', tool_input: { command: 'ls' } }, ['Bash(ls)']],
    [{ tool_name: 'WebFetch', tool_input: { url: 'x' } }, ['WebFetch']],
    [{
      tool_name: 'Bash', tool_input: { command: 'git log' },
      suggestions: [
        { type: 'addRules', behavior: 'allow', rules: [{ toolName: 'Bash', ruleContent: 'git log:*' }] },
        { type: 'setMode', mode: 'acceptEdits' }, { type: 'addDirectories', directories: ['/workspace/a'] },
      ],
    }, ['Bash(git log:*)', 'files in /workspace/a']],
  ];
  for (const [data, rules] of cases) assert.deepEqual(rememberedRules(data), rules);
});
