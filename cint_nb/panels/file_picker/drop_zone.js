// A place to drop a file on, or to choose one: it goes to the kernel in pieces, each acknowledged before the next.
const PIECE = 4_000_000;
const LARGEST = 200_000_000;
const BUSY_AFTER = 8_000;

const size = (bytes) => (bytes < 1e6 ? `${Math.max(Math.round(bytes / 1e3), 1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function render({ model, el }) {
  el.innerHTML = `<div class="fp-drop"><button type="button" class="cint-b fp-choose" data-lm-suppress-shortcuts="true">Choose a file…</button>
    <span class="fp-said" role="status"></span><input type="file" hidden><button type="button" class="cint-b fp-cancel" data-lm-suppress-shortcuts="true" hidden>Cancel</button>
    <div class="cint-bar fp-bar" role="progressbar" aria-label="Upload to the kernel" aria-valuemin="0" aria-valuemax="100" hidden><i></i></div></div>`;
  const find = (css) => el.querySelector(css);
  const [zone, said, input, cancel, bar] = ['.fp-drop', '.fp-said', 'input', '.fp-cancel', '.fp-bar'].map(find);
  const calm = `or drop it here, up to ${size(LARGEST)}. It is read by this notebook's kernel; nothing is sent to Cint.`;
  let now = null;
  let slow = 0;

  function say(text, bad = false) {
    said.textContent = text;
    said.classList.toggle('cint-bad', bad);
  }

  function end(text, bad = false) {
    clearTimeout(slow);
    now = null;
    cancel.hidden = bar.hidden = true;
    say(text, bad);
  }

  function show(received) {
    const share = now.file.size ? received / now.file.size : 1;
    bar.firstElementChild.style.width = `${100 * share}%`;
    bar.setAttribute('aria-valuenow', Math.round(100 * share));
    say(`${now.file.name}: ${size(received)} of ${size(now.file.size)}`);
    clearTimeout(slow);
    slow = setTimeout(() => say('the kernel is busy: the file waits until the running cell has ended'), BUSY_AFTER);
  }

  async function send(offset) {
    const { file, id } = now;
    let piece;
    try {
      piece = await file.slice(offset, offset + PIECE).arrayBuffer();
    } catch (error) {
      model.send({ type: 'cancel', id });
      end(`${file.name} cannot be read: ${error.message}`, true);
      return;
    }
    if (now?.id === id) model.send({ type: 'piece', id, offset }, undefined, [piece]);
  }

  function begin(file) {
    if (!file) return;
    if (now) model.send({ type: 'cancel', id: now.id });
    if (file.size > LARGEST) {
      end(`${file.name} has ${size(file.size)}, more than ${size(LARGEST)}. Nothing was read: put it into the folder below.`, true);
      return;
    }
    now = { file, id: `${Date.now()}-${Math.random()}` };
    cancel.hidden = bar.hidden = false;
    model.send({ type: 'begin', id: now.id, name: file.name, size: file.size });
    show(0);
  }

  model.on('msg:custom', (message) => {
    if (!now || message.id !== now.id) return;
    if (message.type === 'refused') end(message.why, true);
    else if (message.received >= now.file.size) end(`${now.file.name}, ${size(now.file.size)}`);
    else { show(message.received); send(message.received); }
  });
  find('.fp-choose').addEventListener('click', () => { input.value = ''; input.click(); });
  input.addEventListener('change', () => begin(input.files[0]));
  cancel.addEventListener('click', () => {
    model.send({ type: 'cancel', id: now.id });
    end('cancelled; nothing was read');
  });
  for (const [name, over] of [['dragenter', true], ['dragover', true], ['dragleave', false], ['drop', false]]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      event.stopPropagation();
      zone.classList.toggle('over', over);
      if (!now) say(over ? 'Let go to read it.' : calm);
    });
  }
  zone.addEventListener('drop', (event) => begin(event.dataTransfer.files[0]));
  say(calm);
}

export default { render };
