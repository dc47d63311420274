// The list of my sessions.
import { api } from './api.js';
import { distance } from './status.js';

const drawer = document.getElementById('drawer');
const toggle = document.getElementById('sessions');
const list = drawer.querySelector('ul');
const hint = drawer.querySelector('.hint');
let timer = 0;

const KINDS = { terminal: 'terminal', structured: 'chat', remote: 'chat elsewhere' };

/** Makes the button work. `current` gives the id on the page, `open` is called with the one chosen. */
export function bindDrawer({ current, open, opened, logout, failed }) {
  toggle.hidden = false;
  toggle.onclick = () => (drawer.hidden ? show() : hideDrawer());
  document.getElementById('logout').onclick = logout;
  drawer.onkeydown = (event) => {
    if (event.key === 'Escape') {
      hideDrawer();
      toggle.focus();
    }
  };

  async function show() {
    opened();
    drawer.hidden = false;
    toggle.setAttribute('aria-expanded', 'true');
    await refresh();
    list.querySelector('a')?.focus();
    timer = setInterval(refresh, 4000);
  }

  async function refresh() {
    try {
      const { items } = await api.list();
      const focused = document.activeElement?.dataset?.id;
      list.replaceChildren(...items.map((session) => entry(session, session.id === current())));
      hint.textContent = items.length ? '' : 'None yet.';
      if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    } catch (problem) {
      hideDrawer();
      failed(problem);
    }
  }

  function entry(session, here) {
    const link = document.createElement('a');
    link.href = `?id=${encodeURIComponent(session.id)}`;
    link.dataset.id = session.id;
    if (here) link.setAttribute('aria-current', 'page');
    const state = (session.lifecycle === 'running' && session.activity) || session.lifecycle;
    link.append(
      part('name', session.name || session.id.slice(0, 8)), part('badge', state, state),
      part('when', `${KINDS[session.kind] ?? session.kind} · last used ${distance(session.last_activity_at)} · ${session.id.slice(0, 8)}`));
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
      event.preventDefault();
      hideDrawer();
      open(session.id);
    };
    const item = document.createElement('li');
    item.append(link);
    return item;
  }
}

function part(className, text, state) {
  const node = document.createElement('span');
  node.className = className;
  node.textContent = text;
  if (state) node.dataset.state = state;
  return node;
}

export function hideDrawer() {
  clearInterval(timer);
  drawer.hidden = true;
  toggle.setAttribute('aria-expanded', 'false');
}
