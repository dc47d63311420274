// What the page says around the terminal: badges, the banner, and the cover over the terminal.

const element = (id) => document.getElementById(id);

export function badge(id, state, text) {
  const node = element(id);
  node.hidden = !text;
  node.dataset.state = state;
  if (node.textContent !== text) node.textContent = text;
}

const banner = element('banner');
banner.querySelector('button').onclick = hideBanner;

export function showBanner(text, kind = 'note') {
  banner.dataset.kind = kind;
  banner.querySelector('span').textContent = text;
  banner.hidden = false;
}

export function hideBanner() {
  banner.hidden = true;
}

export function bannerKind() {
  return banner.hidden ? '' : banner.dataset.kind;
}

const cover = element('cover');

/** Covers the terminal with a title, a text, details as they came, and buttons: [label, action, primary?]. */
export function showCover(title, text = '', { details = '', actions = [] } = {}) {
  cover.querySelector('h2').textContent = title;
  cover.querySelector('p').textContent = text;
  cover.querySelector('p').hidden = !text;
  const pre = cover.querySelector('pre');
  pre.textContent = details;
  pre.hidden = !details;
  const row = cover.querySelector('.actions');
  row.replaceChildren(...actions.map(([label, action, primary]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    if (primary) button.className = 'primary';
    button.onclick = () => action(button);
    return button;
  }));
  cover.hidden = false;
  row.querySelector('.primary')?.focus({ preventScroll: true });
}

export function hideCover() {
  cover.hidden = true;
}

/** "in 2 min", "3 h ago": how far a time is from now. */
export function distance(time, now = Date.now()) {
  const seconds = Math.round((new Date(time).getTime() - now) / 1000);
  const size = Math.abs(seconds);
  const [amount, unit] = size < 90 ? [size, 's'] : size < 5400 ? [Math.round(size / 60), 'min']
    : size < 172800 ? [Math.round(size / 3600), 'h'] : [Math.round(size / 86400), 'days'];
  if (size < 5) return 'now';
  return seconds > 0 ? `in ${amount} ${unit}` : `${amount} ${unit} ago`;
}
