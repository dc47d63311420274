// The dialog that asks what kind of session is to be made.
import { api } from './api.js';

const dialog = document.getElementById('new-session');
const form = dialog.querySelector('form');
const policies = form.elements.policy;

/** Answers what POST /v1/sessions takes; null when the person thought better of it. */
export async function askForSession() {
  dialog.returnValue = '';
  form.elements.prompt.value = '';
  form.elements.name.value = '';
  dialog.showModal();
  readPolicies();
  await new Promise((resolve) => { dialog.addEventListener('close', resolve, { once: true }); });
  if (dialog.returnValue !== 'create') return null;
  const body = { kind: form.elements.kind.value };
  for (const name of ['name', 'policy', 'prompt']) {
    const value = form.elements[name].value.trim();
    if (value) body[name] = value;
  }
  return body;
}

form.querySelector('[value=cancel]').onclick = () => dialog.close('');
form.elements.prompt.onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector('[value=create]'));
};

async function readPolicies() {
  const field = policies.closest('label');
  field.hidden = policies.options.length < 2;
  try {
    const { items } = await api.policies();
    const names = items.map(({ name }) => name).filter(Boolean);
    const chosen = policies.value || 'default';
    policies.replaceChildren(...names.map((name) => new Option(name, name)));
    policies.value = names.includes(chosen) ? chosen : names[0] ?? '';
    field.hidden = names.length < 2;
  } catch {
    policies.replaceChildren(); // the server takes its own
    field.hidden = true;
  }
}
