// The page of the API: finds operations, opens what an address names, and sends requests: as the browser's session with its
// token against forged requests, or with the Basic credentials that were typed. Nothing is kept; everything else on the page works without it.
const main = document.getElementById('main');
const base = main.dataset.base;
const find = document.getElementById('find');
const user = document.getElementById('user');
const password = document.getElementById('password');
const tokenHeader = 'X-Harbor-CSRF-Token';
let token = '';
let fields = 0;

document.querySelector('.tools').hidden = false;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// What the address names is opened and shown.
function openNamed() {
  const named = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  document.getElementById('nav').hidePopover?.();
  if (named.tagName === 'DETAILS') {
    named.hidden = false;
    named.open = true;
  }
  named.scrollIntoView();
}
addEventListener('hashchange', openNamed);
// A link to where the address already points changes nothing in it.
main.addEventListener('click', event => {
  if (event.target.closest('a')?.hash === location.hash && location.hash) openNamed();
});

// The slash leads to the field, as it leads to the search in the portal; in a field it is a slash.
addEventListener('keydown', event => {
  const isTyped = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest?.('input, textarea, select');
  if (event.key !== '/' || isTyped) return;
  event.preventDefault();
  find.focus();
});

find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll('.tag')) {
    let shown = 0;
    for (const operation of section.querySelectorAll('.op')) {
      const text = `${operation.id} ${operation.querySelector('summary').textContent}`.toLowerCase();
      operation.hidden = !words.every(word => text.includes(word));
      shown += operation.hidden ? 0 : 1;
    }
    section.hidden = shown === 0;
  }
});

function field(label, input, note) {
  input.id = `field-${fields += 1}`;
  const caption = element('label', { htmlFor: input.id, textContent: label });
  if (note) caption.append(' ', element('span', { className: 'opt', textContent: note }));
  return element('div', { className: 'field' }, caption, input);
}

function parameterField(row) {
  const { name, in: place, type } = row.dataset;
  const required = 'required' in row.dataset;
  let input = element('input', { className: 'input', autocomplete: 'off', spellcheck: false, required });
  if (type === 'boolean') {
    input = element('select', { className: 'select' }, ...['', 'true', 'false'].map(word => element('option', { value: word, textContent: word || 'as the default' })));
  } else if (type === 'integer') {
    input.inputMode = 'numeric';
  }
  Object.assign(input.dataset, { name, place });
  return field(name, input, required ? '' : place);
}

function prepare(operation) {
  const inside = operation.querySelector('.inside');
  const inputs = element('div', { className: 'inputs' }, ...[...operation.querySelectorAll('.params tbody tr')].map(parameterField));
  const example = operation.querySelector('.example');
  const form = element('form', { className: 'try', ariaLabel: `Try ${operation.id.slice(3)}` }, inputs);
  if (example) {
    form.append(field('Body', element('textarea', { className: 'input', name: 'body', value: example.textContent, spellcheck: false })));
  }
  const send = element('button', { className: operation.dataset.method === 'GET' ? 'btn' : 'btn btn-primary', textContent: `Send ${operation.dataset.method}` });
  const status = element('p', { className: 'status', role: 'status' });
  const back = element('div', { className: 'back' });
  form.append(element('div', { className: 'row' }, send), status, back);
  form.addEventListener('submit', async event => {
    event.preventDefault();
    send.disabled = true;
    try {
      await sendRequest(read(operation, form), status, back);
    } catch (error) {
      status.textContent = `The request could not be sent: ${error.message}`;
      status.classList.add('bad');
    }
    send.disabled = false;
  });
  inside.append(element('h4', { textContent: 'Try it' }), form);
}

// A repository's slashes are escaped twice, as the API wants them.
const escaped = (name, value) => encodeURIComponent(name === 'repository_name' ? encodeURIComponent(value) : value);

function read(operation, form) {
  let path = operation.dataset.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll('[data-name]')) {
    const { name, place } = input.dataset;
    if (place === 'path') path = path.replace(`{${name}}`, escaped(name, input.value));
    else if (input.value === '') continue;
    else if (place === 'query') query.append(name, input.value);
    else headers[name] = input.value;
  }
  const url = new URL(base + path + (query.size ? `?${query}` : ''), location.origin).href;
  const body = form.elements.body?.value;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return { method: operation.dataset.method, url, headers, body };
}

const basic = () => `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${user.value}:${password.value}`)))}`;

async function sendRequest(request, status, back) {
  const { method, url, body } = request;
  const headers = { ...request.headers };
  const asPerson = user.value !== '';
  if (asPerson) {
    headers.Authorization = basic();
  } else if (method !== 'GET' && method !== 'HEAD') {
    token ||= (await fetch(`${base}/ping`)).headers.get(tokenHeader) ?? '';
    if (token) headers[tokenHeader] = token;
  }
  status.className = 'status';
  status.textContent = 'Sent; waiting for the answer.';
  back.replaceChildren();
  const started = performance.now();
  const answer = await fetch(url, { method, headers, body, credentials: asPerson ? 'omit' : 'same-origin', redirect: 'manual' });
  token = answer.headers.get(tokenHeader) ?? token;
  const text = await answer.text();
  status.textContent = `${answer.status} ${answer.statusText} · ${Math.round(performance.now() - started)} ms`;
  status.classList.toggle('bad', !answer.ok);
  const lines = [...answer.headers].map(([name, value]) => `${name}: ${name === tokenHeader.toLowerCase() ? '…' : value}`);
  back.replaceChildren(part('Headers', lines.join('\n'), true), ...text ? [part('Answer', pretty(text))] : [], command(request, asPerson));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function part(title, text, wrap = false) {
  const pre = element('pre', { className: wrap ? 'code wrap' : 'code', tabIndex: 0, role: 'group', ariaLabel: title, textContent: text });
  return element('div', {}, element('h4', { textContent: title }), pre);
}

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

// The same request for a terminal; curl asks for the password itself.
function command({ method, url, headers, body }, asPerson) {
  const words = ['curl', method === 'HEAD' ? '-I' : `-i -X ${method}`];
  words.push(`-u ${quoted(asPerson ? user.value : 'NAME')}`);
  for (const [name, value] of Object.entries(headers)) words.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) words.push(`--data ${quoted(body)}`);
  words.push(quoted(url));
  const text = words.join(' ');
  const copy = element('button', { type: 'button', className: 'btn btn-sm', textContent: 'Copy the command' });
  const made = part('For a terminal', text, true);
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
    } catch {
      // Without a secure connection there is no clipboard: the text is selected for the keyboard.
      getSelection().selectAllChildren(made.querySelector('pre'));
      copy.textContent = 'Selected: press Ctrl+C';
    }
  });
  made.append(element('div', { className: 'row' }, copy));
  return made;
}

for (const operation of document.querySelectorAll('.op[data-method]')) {
  operation.addEventListener('toggle', () => operation.querySelector('.try') ?? prepare(operation));
}
openNamed();
