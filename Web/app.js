// The page: logs in when that is needed, then shows the session of `?id=`, or makes one and puts its id there.
// `?inbox` shows what waits for an answer, and makes nothing.
import { api, randomKey } from './api.js';
import { caller } from './caller.js';
import { ConversationPage } from './conversation/page.js';
import { bindDrawer, hideDrawer } from './drawer.js';
import { Inbox } from './inbox.js';
import { login } from './login.js';
import { askForSession } from './new-session.js';
import { badge, hideBanner, hideCover, showBanner, showCover } from './status.js';
import { TerminalPage } from './terminal-page.js';
import { TerminalView } from './terminal.js';

const element = (id) => document.getElementById(id);
const view = new TerminalView(element('terminal'));
let page = null;
let inbox = null;

const parameter = (name) => new URLSearchParams(location.search).get(name);
const wanted = () => parameter('id');

/** Learns who the caller is and runs an API call; on 401 logs in and does both again. */
async function authorized(action) {
  for (let message = ''; ; message = 'Your login has run out. Log in again.') {
    try {
      caller.learn(await api.me());
      return await action();
    } catch (problem) {
      if (problem.status !== 401 || caller.share) throw problem;
      hideCover();
      hideDrawer();
      inbox.hide();
      await login(page ? message || 'Your login has run out. Log in again.' : '');
      inbox.look();
    }
  }
}

function clear() {
  page?.leave();
  page = null;
  delete document.body.dataset.kind;
  inbox.hide();
  view.lead();
  view.repaint('');
  hideBanner();
}

async function open(id, { push = true } = {}) {
  clear();
  showCover('Opening…');
  try {
    const record = await authorized(() => api.session(id));
    if (push && wanted() !== id) history.pushState(null, '', `?id=${encodeURIComponent(id)}`);
    show(record);
  } catch (problem) {
    refused(problem.status === 404 ? 'No such session' : 'This session cannot be opened',
      problem.status === 404 ? `There is no session ${id} among yours; it may have been deleted.` : problem.message,
      () => open(id, { push }), problem);
  }
}

async function create({ replace = false, body = {} } = {}) {
  clear();
  showCover('Making a session…');
  const key = randomKey(); // the same for every try: a lost answer does not make two sessions
  const attempt = async () => {
    try {
      const record = await authorized(() => api.create({ size: view.size, ...body }, key));
      history[replace ? 'replaceState' : 'pushState'](null, '', `?id=${encodeURIComponent(record.id)}`);
      show(record);
    } catch (problem) {
      // Whoever may not make sessions came to answer.
      if (replace && problem.status === 403) openInbox({ push: false });
      else refused('No new session', problem.message, attempt, problem);
    }
  };
  await attempt();
}

/** Asks which kind of session is wanted, and makes it. */
async function createAsked() {
  hideDrawer();
  const body = await askForSession();
  if (body) await create({ body });
}

async function openInbox({ push = true } = {}) {
  clear();
  hideCover();
  if (push) history.pushState(null, '', '?inbox');
  try {
    await authorized(() => api.permissions());
    await inbox.show();
  } catch (problem) {
    showBanner(problem.message, 'error');
  }
}

function refused(title, text, again, problem) {
  if (caller.share && [401, 404].includes(problem.status)) {
    showCover('This link does not work', 'It was revoked, has expired, or its session is gone. Ask whoever gave it to you for another.');
    return;
  }
  const wait = problem.retryAfter ? `\nTry again in ${problem.retryAfter} s.` : '';
  showCover(title, text + wait, {
    actions: [
      ...(problem.status === 404 ? [] : [['Try again', again, true]]),
      ...(caller.mayManage ? [['New session', () => createAsked(), problem.status === 404]] : []),
    ],
  });
}

function show(record) {
  hideCover();
  const isConversation = record.kind !== 'terminal';
  document.body.dataset.kind = isConversation ? 'structured' : 'terminal';
  page = isConversation ? new ConversationPage(record) : new TerminalPage(record, view);
  page.onNew = () => createAsked();
  page.onLoggedOut = () => open(record.id, { push: false });
  page.onPermissions = () => inbox.look();
  page.onSwitched = (switched) => {
    clear();
    show(switched);
  };
  page.start();
}

/** What the address asks for. */
async function follow() {
  if (caller.share) element('bar').querySelector('h1 a').removeAttribute('href'); // it leads away from all that opens
  if (wanted()) await open(wanted(), { push: false });
  else if (parameter('inbox') !== null) await openInbox({ push: false });
  else await create({ replace: true });
}

function bindPage() {
  const touch = matchMedia('(pointer: coarse)');
  const showKeys = () => { element('keys').hidden = !touch.matches; };
  touch.addEventListener('change', showKeys);
  showKeys();
  for (const button of element('keys').querySelectorAll('button')) {
    button.onpointerdown = (event) => event.preventDefault(); // the keyboard of a phone stays as it is
    button.onclick = () => page?.press(button.dataset.key);
  }
  const narrow = matchMedia('(max-width: 620px)'); // no room in the bar: the session's buttons move to the drawer
  const placeActions = () => {
    if (narrow.matches) element('drawer-actions').append(element('actions'));
    else element('inbox-toggle').before(element('actions'));
  };
  narrow.addEventListener('change', placeActions);
  placeActions();
  element('new').hidden = false;
  element('new').onclick = () => createAsked();
  view.onLeave = () => element('bar').querySelector('button:not([hidden])')?.focus();
  inbox = new Inbox({ open: (id) => open(id), onOpen: hideDrawer });
  bindDrawer({
    current: () => page?.id,
    open: (id) => open(id),
    opened: () => inbox.hide(),
    failed: (problem) => (problem.status === 401 && page ? open(page.id, { push: false }) : showBanner(problem.message, 'error')),
    logout: async () => {
      await api.logout().catch((problem) => showBanner(problem.message, 'error'));
      location.reload();
    },
  });
  addEventListener('popstate', follow);
  addEventListener('online', () => page?.hurry());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) page?.hurry(); });
}

badge('connection', 'off', 'not connected');
bindPage();
// What the browser test reads.
globalThis.rookery = {
  get screen() { return view.text; },
  get session() { return page?.id ?? null; },
  get conversation() { return page?.model ?? null; },
};
await Promise.race([view.ready, new Promise((resolve) => setTimeout(resolve, 1000))]);
await follow();
