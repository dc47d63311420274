// The page: logs in when that is needed, then shows the session of `?id=`, or makes one and puts its id there.
import { api, randomKey } from './api.js';
import { bindDrawer, hideDrawer } from './drawer.js';
import { login } from './login.js';
import { SessionPage } from './session.js';
import { badge, hideBanner, hideCover, showBanner, showCover } from './status.js';
import { TerminalView } from './terminal.js';

const element = (id) => document.getElementById(id);
const view = new TerminalView(element('terminal'));
let page = null;

const wanted = () => new URLSearchParams(location.search).get('id');

/** Runs an API call; on 401 logs in and runs it again. */
async function authorized(action) {
  for (let message = ''; ; message = 'Your login has run out. Log in again.') {
    try {
      return await action();
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      hideCover();
      hideDrawer();
      await login(page ? message || 'Your login has run out. Log in again.' : '');
    }
  }
}

async function open(id, { push = true } = {}) {
  page?.leave();
  page = null;
  view.lead();
  view.repaint('');
  hideBanner();
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

async function create({ replace = false } = {}) {
  page?.leave();
  page = null;
  view.lead();
  view.repaint('');
  hideBanner();
  showCover('Making a session…');
  const key = randomKey(); // the same for every try: a lost answer does not make two sessions
  const attempt = async () => {
    try {
      const record = await authorized(() => api.create({ size: view.size }, key));
      history[replace ? 'replaceState' : 'pushState'](null, '', `?id=${encodeURIComponent(record.id)}`);
      show(record);
    } catch (problem) {
      refused('No new session', problem.message, attempt, problem);
    }
  };
  await attempt();
}

function refused(title, text, again, problem) {
  const wait = problem.retryAfter ? `\nTry again in ${problem.retryAfter} s.` : '';
  showCover(title, text + wait, {
    actions: [
      ...(problem.status === 404 ? [] : [['Try again', again, true]]),
      ['New session', () => create(), problem.status === 404],
    ],
  });
}

function show(record) {
  hideCover();
  page = new SessionPage(record, view);
  page.onNew = () => create();
  page.onLoggedOut = () => open(record.id, { push: false });
  page.start();
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
    else element('sessions').before(element('actions'));
  };
  narrow.addEventListener('change', placeActions);
  placeActions();
  element('new').hidden = false;
  element('new').onclick = () => create();
  view.onLeave = () => element('bar').querySelector('button:not([hidden])')?.focus();
  bindDrawer({
    current: () => page?.id,
    open: (id) => open(id),
    failed: (problem) => (problem.status === 401 && page ? open(page.id, { push: false }) : showBanner(problem.message, 'error')),
    logout: async () => {
      await api.logout().catch((problem) => showBanner(problem.message, 'error'));
      location.reload();
    },
  });
  addEventListener('popstate', () => (wanted() ? open(wanted(), { push: false }) : create({ replace: true })));
  addEventListener('online', () => page?.hurry());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) page?.hurry(); });
}

badge('connection', 'off', 'not connected');
bindPage();
// What the browser test reads.
globalThis.rookery = { get screen() { return view.text; }, get session() { return page?.id ?? null; } };
await Promise.race([view.ready, new Promise((resolve) => setTimeout(resolve, 1000))]);
if (wanted()) await open(wanted(), { push: false });
else await create({ replace: true });
