import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInline, parseMarkdown } from '../../Web/conversation/markdown.js';
import { inputText, output, summary, visible } from '../../Web/conversation/visible.js';

test('what cannot be seen is written out', () => {
  const cases = [
    ['plain text\nof two lines', 'plain text\nof two lines'],
    ['a\tb\rc', 'a\\tb\\rc'],
    ['\x1b[31mred', '\\u{1b}[31mred'],
    ['abc\u202edcba', 'abc\\u{202e}dcba'],
    ['a\u200bb\u2066c\ufeff', 'a\\u{200b}b\\u{2066}c\\u{feff}'],
    ['non\u00a0breaking', 'non\\u{a0}breaking'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['héllo 日本 🙂', 'héllo 日本 🙂'],
  ];
  for (const [text, expected] of cases) assert.equal(visible(text), expected);
});

test('a program\'s output has no colours, and its tabs', () => {
  assert.equal(output('\x1b[1;32mok\x1b[0m\tdone\r\n\x1b]0;title\x07x\u202e'), 'ok\tdone\nx\\u{202e}');
});

test('an input is shown whole, and no line of it passes for another member', () => {
  const text = inputText({ description: 'd', command: 'ls\ndescription: harmless', n: 1 });
  assert.equal(text, 'command:\n    ls\n    description: harmless\ndescription: d\nn: 1');
  assert.equal(summary({ description: 'd', command: 'a\nb' }), 'a ⏎ b');
  assert.equal(summary(null), '');
});

test('blocks are told apart', () => {
  const kinds = (text) => parseMarkdown(text).map(({ type }) => type);
  assert.deepEqual(kinds('# T\n\ntext\nmore\n\n- a\n- b\n\n1. c\n2. d\n\n> q\n\n---\n\n```js\nx\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |'),
    ['heading', 'paragraph', 'list', 'list', 'quote', 'rule', 'code', 'table']);
  assert.deepEqual(parseMarkdown('```\n# no heading\n'), [{ type: 'code', language: '', text: '# no heading\n' }]);
});

test('lists nest, and keep what is indented', () => {
  const [list] = parseMarkdown('- a\n  - b\n    text\n- c\n\n  still c');
  assert.equal(list.items.length, 2);
  assert.deepEqual(list.items[0].map(({ type }) => type), ['paragraph', 'list']);
  assert.deepEqual(list.items[1].map(({ type }) => type), ['paragraph', 'paragraph']);
});

test('marks in a line', () => {
  assert.deepEqual(parseInline('a **b** *c* `d*` snake_case_name'), [
    { type: 'text', text: 'a ' }, { type: 'strong', inline: [{ type: 'text', text: 'b' }] }, { type: 'text', text: ' ' },
    { type: 'emphasis', inline: [{ type: 'text', text: 'c' }] }, { type: 'text', text: ' ' }, { type: 'code', text: 'd*' },
    { type: 'text', text: ' snake_case_name' },
  ]);
});

test('only web addresses become links', () => {
  for (const text of ['[x](javascript:alert(1))', '[x](data:text/html,1)', '[x](/local)', '<a href=x>y</a>']) {
    assert.deepEqual(parseInline(text).filter(({ type }) => type === 'link'), [], text);
  }
  const [link] = parseInline('[x](https://example.com/a)');
  assert.equal(link.address, 'https://example.com/a');
  assert.equal(parseInline('see https://example.com/b.').at(1).address, 'https://example.com/b');
});

test('hostile text takes no time', () => {
  const start = Date.now();
  for (const piece of ['*', '`', '[', '_', '> ', '- ', '**a', '|', '`` ']) parseMarkdown(piece.repeat(32_768 / piece.length));
  parseMarkdown('> '.repeat(100) + 'deep');
  parseMarkdown('- \n'.repeat(10_000));
  assert.ok(Date.now() - start < 5000, `${Date.now() - start} ms`);
});
