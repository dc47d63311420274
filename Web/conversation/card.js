// A permission that a session asks for, as a card: what it is about, shown whole, and the answers to it.
import { caller } from '../caller.js';
import { button, make } from './dom.js';
import { drawProse } from './prose.js';
import { answerText, questionsOf, rememberedRules } from './question.js';
import { inputText, visible } from './visible.js';

const RESOLVED = {
  allowed: ['✓', 'Allowed'], denied: ['✗', 'Denied'], withdrawn: ['–', 'No longer asked'],
  elsewhere: ['–', 'Answered elsewhere'],
};
const WAYS = { terminal: 'in the terminal', timeout: 'since nobody answered in time', policy: 'by the policy', session: 'by the session' };
let serial = 0;

export class PermissionCard {
  node;

  #data;
  #answer;
  #body;
  #problem;
  #setMode;
  #open = true;

  /**
   * @param data of `permission.requested`
   * @param answer `(decision, options)` gives the answer; throws what was refused
   * @param setMode `(mode)` changes the session's permission mode; absent where that cannot be
   */
  constructor(data, { answer, setMode = null, origin = null }) {
    this.#data = data;
    this.#answer = answer;
    this.#setMode = setMode;
    const title = `card-${serial += 1}`;
    this.#body = make('div', { className: 'answers' });
    this.#problem = make('p', { className: 'error', role: 'alert', hidden: true });
    const isForm = data.kind === 'plan' || (data.kind === 'question' && Boolean(questionsOf(data.tool_input)));
    this.node = make('section', { className: 'card', 'aria-labelledby': title, data: { permission: data.id, kind: data.kind } },
      origin, make('h3', { id: title }, ...heading(data)), ...this.#content(), this.#body, this.#problem,
      isForm && wholeText(data) ? whole(data) : null);
    this.#drawAnswers();
  }

  /** Somebody answered, or nobody can any more. */
  resolve(resolution = {}) {
    if (!this.#open) return;
    this.#open = false;
    const had = this.node.contains(document.activeElement);
    const [sign, word] = RESOLVED[resolution.resolution] ?? RESOLVED.withdrawn;
    const who = resolution.by ? ` by ${visible(resolution.by)}` : '';
    const way = WAYS[resolution.via] ? ` ${WAYS[resolution.via]}` : '';
    const more = resolution.remember === 'tenant' ? ', for every session of the tenant'
      : resolution.remember ? ', for the rest of the session' : '';
    this.node.classList.add('resolved');
    this.node.dataset.resolution = resolution.resolution ?? 'withdrawn';
    const name = this.#data.kind === 'question' ? 'The question' : this.#data.kind === 'plan' ? 'The plan' : visible(this.#data.tool_name ?? '');
    const answer = word === 'Allowed' && this.#data.kind === 'question' ? 'answered' : word.toLowerCase();
    this.node.replaceChildren(make('details', {},
      make('summary', {}, make('span', { className: 'sign', 'aria-hidden': 'true', text: sign }),
        make('span', {}, make('strong', { text: name }), `: ${answer}${who}${way}${more}`)),
      make('pre', { className: 'whole', text: wholeText(this.#data) })));
    if (resolution.message) this.node.append(make('p', { className: 'said', dir: 'auto', text: `“${visible(resolution.message)}”` }));
    if (had) this.node.dispatchEvent(new CustomEvent('answered', { bubbles: true }));
  }

  #content() {
    const { kind, tool_input: input, description, truncated, expires_at: expires } = this.#data;
    const nodes = [];
    if (description && kind === 'tool') nodes.push(make('p', { className: 'about', dir: 'auto', text: visible(description) }));
    if (truncated) {
      nodes.push(make('p', { className: 'error', text: 'Its input is too large to be shown whole, so it can only be denied.' }));
    } else if (kind === 'plan') {
      nodes.push(typeof input?.plan === 'string' ? plan(input.plan)
        : make('p', { className: 'hint', text: 'It comes without its text: what Claude wrote of it is in the conversation.' }));
    } else if (kind !== 'question' || !questionsOf(input)) {
      nodes.push(make('pre', { className: 'whole', tabindex: 0, 'aria-label': 'What it would do, whole', text: wholeText(this.#data) }));
    }
    if (expires) nodes.push(make('p', { className: 'hint', text: `Denied by itself at ${new Date(expires).toLocaleTimeString()}.` }));
    return nodes;
  }

  #drawAnswers() {
    const { kind, tool_input: input, answerable, truncated } = this.#data;
    if (!caller.mayAnswer) {
      this.#body.replaceChildren(make('p', { className: 'hint', text: 'It waits for an answer of somebody who may give one.' }));
      return;
    }
    if (answerable === false) {
      this.#body.replaceChildren(make('p', { className: 'hint', text: 'Only the session’s terminal can answer this.' }));
      return;
    }
    const questions = kind === 'question' && questionsOf(input);
    if (truncated) this.#body.replaceChildren(row(this.#denyButton()));
    else if (questions) this.#drawQuestions(questions);
    else if (kind === 'plan') this.#drawPlan();
    else this.#drawTool();
  }

  #drawTool() {
    const rules = rememberedRules(this.#data).map(visible);
    const always = button('Allow for this session', () => this.#give('allow', { remember: 'session' }), {
      title: 'Allow, and do not ask again for the rest of the session',
    });
    this.#body.replaceChildren(
      row(button('Allow', () => this.#give('allow'), { primary: true }), always, this.#denyButton()),
      make('p', { className: 'hint' }, '“For this session” goes on to allow ',
        ...rules.flatMap((rule, at) => [at ? ', ' : '', make('code', { text: rule })])));
  }

  #drawPlan() {
    const accept = async () => {
      if (await this.#give('allow')) await this.#setMode('acceptEdits').catch((problem) => this.#tell(problem.message));
    };
    this.#body.replaceChildren(row(
      button('Approve the plan', () => this.#give('allow'), { primary: true }),
      this.#setMode && button('Approve, and accept edits', accept, { title: 'Files are then changed without asking' }),
      this.#denyButton('Keep planning…', 'What should be different?')));
  }

  #drawQuestions(questions) {
    const name = `question-${serial += 1}`;
    const fields = questions.map((question, at) => {
      const type = question.several ? 'checkbox' : 'radio';
      const inputs = question.options.map(({ label, description }) => {
        const input = make('input', { type, name: `${name}-${at}` });
        return {
          input, label,
          node: make('label', { className: 'option' }, input, make('span', {},
            make('strong', { dir: 'auto', text: visible(label) }),
            description ? make('small', { dir: 'auto', text: visible(description) }) : null)),
        };
      });
      const other = make('input', { type: 'text', placeholder: question.several ? 'Something else as well' : 'Something else', 'aria-label': `Another answer to: ${visible(question.text)}` });
      other.oninput = () => {
        if (!question.several && other.value.trim()) for (const { input } of inputs) input.checked = false;
      };
      for (const { input } of inputs) input.addEventListener('change', () => { if (!question.several) other.value = ''; });
      const legend = make('legend', { dir: 'auto' },
        question.header ? make('span', { className: 'chip', text: visible(question.header) }) : null, visible(question.text));
      return {
        node: make('fieldset', {}, legend, ...inputs.map(({ node }) => node), other), first: inputs[0]?.input ?? other,
        text: question.text,
        answer: () => answerText(inputs.filter(({ input }) => input.checked).map(({ label }) => label), other.value),
      };
    });
    const form = make('form', {}, ...fields.map(({ node }) => node),
      row(make('button', { type: 'submit', className: 'primary', text: 'Answer' }), this.#denyButton('Decline…')));
    form.onsubmit = (event) => {
      event.preventDefault();
      const missing = fields.find((field) => !field.answer());
      if (missing) {
        this.#tell('Each question needs an answer.');
        missing.first.focus();
        return;
      }
      this.#give('allow', { answers: Object.fromEntries(fields.map((field) => [field.text, field.answer()])) });
    };
    this.#body.replaceChildren(form);
  }

  #denyButton(label = 'Deny…', hint = 'What should it do instead?') {
    return button(label, () => this.#drawDeny(hint));
  }

  #drawDeny(hint) {
    const field = make('textarea', { rows: 2, maxlength: 4000, 'aria-label': 'A word with the answer', placeholder: `${hint} (may stay empty)` });
    const message = () => field.value.trim() || undefined;
    const kept = [...this.#body.childNodes];
    const back = () => {
      this.#body.replaceChildren(...kept);
      this.#body.querySelector('button')?.focus();
    };
    const form = make('form', {}, field, row(
      make('button', { type: 'submit', className: 'primary', text: 'Deny' }),
      button('Deny and stop', () => this.#give('deny', { message: message(), interrupt: true }), { title: 'Deny, and end the turn' }),
      button('Back', back)));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.#give('deny', { message: message() });
    };
    form.onkeydown = (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        back();
      } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.target === field) {
        event.preventDefault();
        form.requestSubmit();
      }
    };
    this.#body.replaceChildren(form);
    field.focus();
  }

  /** Answers whether it was taken. */
  async #give(decision, options = {}) {
    this.#tell('');
    const controls = [...this.#body.querySelectorAll('button, input, textarea')];
    for (const control of controls) control.disabled = true;
    try {
      await this.#answer(decision, options);
      return true;
    } catch (problem) {
      this.#tell(problem.message);
      if (problem.code === 'already_answered') {
        const { decision: resolution, by, via } = problem.problem ?? {};
        this.resolve({ resolution, by, via });
      }
      for (const control of controls) control.disabled = false;
      return false;
    }
  }

  #tell(text) {
    this.#problem.textContent = text;
    this.#problem.hidden = !text;
  }
}

function heading({ kind, tool_name: tool }) {
  if (kind === 'question') return ['Claude asks'];
  if (kind === 'plan') return ['Claude has a plan'];
  return ['Claude wants to use ', make('code', { text: visible(tool ?? '?') })];
}

function plan(text) {
  const node = make('div', { className: 'prose plan', tabindex: 0 });
  drawProse(node, visible(text));
  return node;
}

/** All of the input, for whoever wants to see what a form is made from; unfolded where the form does not show all of it. */
function whole(data) {
  const isShown = Object.keys(data.tool_input ?? {}).every((name) => ['plan', 'planFilePath', 'questions'].includes(name));
  return make('details', { open: !isShown }, make('summary', { text: 'All of it, as text' }), make('pre', { className: 'whole', text: wholeText(data) }));
}

function wholeText({ visible: text, tool_input: input }) {
  return text ?? (input === undefined ? '(not shown)' : inputText(input));
}

function row(...buttons) {
  return make('div', { className: 'actions' }, ...buttons);
}
