// Draws an answer's Markdown as nodes. Every text is a text node; an address is drawn beside a label that hides it.
import { make } from './dom.js';
import { parseMarkdown } from './markdown.js';

/** Characters beyond which a text is drawn as it is. */
const LONGEST = 200_000;

/** Replaces what `node` holds. */
export function drawProse(node, text) {
  if (text.length > LONGEST) node.replaceChildren(make('pre', { text }));
  else node.replaceChildren(...parseMarkdown(text).map(block));
}

function block(item) {
  switch (item.type) {
    case 'heading': return make(`h${Math.min(item.level + 2, 6)}`, { dir: 'auto' }, ...item.inline.map(inline));
    case 'code': return code(item);
    case 'list':
      return make(item.ordered ? 'ol' : 'ul', { start: item.ordered && item.start !== 1 ? item.start : undefined },
        ...item.items.map((blocks) => make('li', { dir: 'auto' }, ...tight(blocks))));
    case 'quote': return make('blockquote', {}, ...item.blocks.map(block));
    case 'rule': return make('hr');
    case 'table': return table(item.rows);
    default: return make('p', { dir: 'auto' }, ...item.inline.map(inline));
  }
}

/** A list's item of one paragraph is a line. */
function tight(blocks) {
  return blocks.flatMap((item, at) => (at === 0 && item.type === 'paragraph' ? item.inline.map(inline) : [block(item)]));
}

function code({ language, text }) {
  const pre = make('pre', { tabindex: 0 }, make('code', { text }));
  const copy = make('button', { type: 'button', className: 'copy', text: 'Copy', 'aria-label': 'Copy the code' });
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(pre); // no clipboard without https
      copy.textContent = 'Selected';
    }
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  };
  return make('div', { className: 'code' }, make('span', { className: 'language', text: language }), copy, pre);
}

function table([head = [], ...rows]) {
  const row = (cells, tag) => make('tr', {}, ...cells.map((cell) => make(tag, { dir: 'auto' }, ...cell.map(inline))));
  return make('div', { className: 'wide', tabindex: 0 },
    make('table', {}, make('thead', {}, row(head, 'th')), make('tbody', {}, ...rows.map((cells) => row(cells, 'td')))));
}

function inline(item) {
  switch (item.type) {
    case 'code': return make('code', { text: item.text });
    case 'strong': return make('strong', {}, ...item.inline.map(inline));
    case 'emphasis': return make('em', {}, ...item.inline.map(inline));
    case 'link': return link(item);
    default: return document.createTextNode(item.text);
  }
}

function link({ inline: label, address }) {
  let host = '';
  try {
    host = new URL(address).host;
  } catch {
    return document.createTextNode(address);
  }
  const node = make('a', { href: address, target: '_blank', rel: 'noopener noreferrer', title: address }, ...label.map(inline));
  if (node.textContent.includes(host)) return node;
  return make('span', {}, node, make('small', { text: ` (${host})` }));
}
