// One node for each item of a conversation, changed in place: what is unfolded, selected or focused stays so.
import { caller } from '../caller.js';
import { PermissionCard } from './card.js';
import { button, count, make, money, span } from './dom.js';
import { address } from './images.js';
import { drawProse } from './prose.js';
import { inputText, output, summary, visible } from './visible.js';

const DRAW = { prompt, text, thinking, tool, permission, turn, notice };

/**
 * Answers `{node, update(item), children?}`. `actions`: withdraw(item), retry(item), discard(item), answer(item, decision,
 * options), setMode(mode).
 */
export function drawItem(item, actions) {
  const drawn = DRAW[item.type](item, actions);
  drawn.node.dataset.item = item.id;
  drawn.node.dataset.type = item.type;
  if (item.time) drawn.node.title = new Date(item.time).toLocaleString();
  drawn.update(item);
  return drawn;
}

function prompt(first, actions) {
  const words = make('div', { className: 'words', dir: 'auto' });
  const pictures = make('ul', { className: 'images', hidden: true });
  const meta = make('p', { className: 'meta' });
  const node = make('li', { className: 'prompt' }, make('span', { className: 'unseen', text: 'Prompt: ' }), pictures, words, meta);
  const own = first.pictures ?? [];
  pictures.hidden = own.length === 0;
  pictures.append(...own.map((image) => make('li', {}, make('img', { src: address(image), alt: 'an image of this prompt' }))));
  return {
    node,
    update(item) {
      node.dataset.state = item.state;
      words.textContent = item.text;
      words.hidden = !item.text;
      const number = own.length ? 0 : item.images;
      const told = [
        item.by && visible(item.by), number ? `${number} ${number === 1 ? 'image' : 'images'}` : null,
        item.cut ? 'cut: the session has all of it' : null,
        { queued: 'queued', sending: item.reason ? `not sent yet: ${item.reason}` : 'sending…', refused: `not sent: ${item.reason}` }[item.state],
      ].filter(Boolean);
      meta.replaceChildren(told.join(' · '));
      if (item.state === 'queued' && caller.mayDrive) meta.append(button('Take back', () => actions.withdraw(item), { 'aria-label': 'Take this prompt back' }));
      if (item.state === 'refused') {
        meta.append(button('Try again', () => actions.retry(item)), button('Discard', () => actions.discard(item)));
      }
      meta.hidden = !meta.hasChildNodes() || !meta.textContent;
    },
  };
}

function text() {
  const prose = make('div', { className: 'prose' });
  const cut = make('p', { className: 'meta', hidden: true });
  const node = make('li', { className: 'text' }, make('span', { className: 'unseen', text: 'Claude: ' }), prose, cut);
  let drawn = null;
  return {
    node,
    update(item) {
      node.classList.toggle('streaming', item.streaming);
      if (item.text !== drawn) drawProse(prose, item.text);
      drawn = item.text;
      tellCut(cut, item);
    },
  };
}

function thinking() {
  const label = make('summary');
  const words = make('div', { className: 'words', dir: 'auto' });
  const node = make('li', { className: 'thinking' }, make('details', {}, label, words));
  return {
    node,
    update(item) {
      node.classList.toggle('streaming', item.streaming);
      label.textContent = item.streaming ? 'Thinking…' : 'Thought';
      words.textContent = item.text;
    },
  };
}

const TOOL_STATES = { running: ['○', 'running'], done: ['✓', 'done'], failed: ['✗', 'failed'], interrupted: ['–', 'interrupted'] };

function tool(first) {
  const sign = make('span', { className: 'sign', 'aria-hidden': 'true' });
  const state = make('span', { className: 'unseen' });
  const elapsed = make('span', { className: 'meta' });
  const result = make('pre', { tabindex: 0 });
  const resultTitle = make('h4', { text: 'Result' });
  const children = make('ol', { className: 'nested' });
  const node = make('li', { className: 'tool' }, make('details', {},
    make('summary', {}, sign, make('strong', { text: visible(first.name) }), state,
      make('span', { className: 'brief', text: summary(first.input) }), elapsed),
    first.input === null ? null : make('h4', { text: 'Input' }),
    first.input === null ? null : make('pre', { tabindex: 0, text: inputText(first.input) }),
    resultTitle, result), children);
  return {
    node, children,
    update(item) {
      node.dataset.state = item.state;
      const [mark, word] = TOOL_STATES[item.state];
      sign.textContent = mark;
      state.textContent = ` ${word} `;
      elapsed.textContent = item.state === 'running' && item.elapsed >= 2 ? span(item.elapsed * 1000) : '';
      const has = typeof item.output === 'string' && item.output !== '';
      result.textContent = has ? output(item.output) : '';
      result.hidden = !has;
      resultTitle.hidden = !has;
    },
  };
}

function permission(first, actions) {
  const card = new PermissionCard(first.data, {
    answer: (decision, options) => actions.answer(first, decision, options), setMode: actions.setMode,
  });
  return {
    node: make('li', { className: 'permission' }, card.node),
    update(item) {
      if (!item.open) card.resolve(item.resolution);
    },
  };
}

const OUTCOMES = { completed: '✓', interrupted: 'Interrupted', failed: 'Failed', ended: 'Cut short' };

function turn(item) {
  const { outcome, reason, message, duration, cost, usage } = item;
  const facts = [
    OUTCOMES[outcome] ?? outcome, duration >= 0 ? span(duration) : null, cost !== undefined ? money(cost) : null,
    usage ? `${count((usage.input_tokens ?? 0) + (usage.cache_read_tokens ?? 0) + (usage.cache_creation_tokens ?? 0))} in, ${count(usage.output_tokens ?? 0)} out` : null,
    outcome !== 'completed' && reason ? String(reason).replace(/_/g, ' ') : null,
    item.denials ? `${item.denials} denied` : null,
  ].filter(Boolean);
  const node = make('li', { className: 'turn', data: { outcome } });
  if (message) node.append(make('p', { className: 'error', dir: 'auto', text: visible(message) }));
  node.append(make('p', { className: 'meta', text: facts.join(' · ') }));
  return { node, update() {} };
}

function notice(first) {
  const words = make('p', { dir: 'auto' });
  // Whoever came by a link sees the one session.
  const other = first.session && !caller.share ? make('a', { href: `/?id=${first.session}`, text: 'Open that one' }) : null;
  return {
    node: make('li', { className: 'notice', data: { tone: first.tone } }, words, other),
    update(item) { words.textContent = visible(item.text); },
  };
}

function tellCut(node, { cut }) {
  node.hidden = !cut;
  node.textContent = cut ? `Cut here${typeof cut === 'number' ? ` (${cut} bytes in all)` : ''}; the transcript has the rest.` : '';
}
