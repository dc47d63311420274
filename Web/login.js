import { api } from './api.js';

const form = document.getElementById('login');
const field = document.getElementById('token');
const error = form.querySelector('.error');
const button = form.querySelector('button');

/** Shows the form until a token is accepted; from then on a cookie speaks for this browser. */
export function login(message) {
  form.hidden = false;
  show(message);
  field.focus();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      show('');
      try {
        await api.login(field.value.trim());
        field.value = '';
        form.hidden = true;
        resolve();
      } catch (problem) {
        show(problem.status === 401 ? 'This token is not valid. Check that all of it was copied.' : problem.message);
        field.select();
      } finally {
        button.disabled = false;
      }
    };
  });
}

function show(message) {
  error.textContent = message || '';
  error.hidden = !message;
}
