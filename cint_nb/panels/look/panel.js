// What a panel needs of a browser beyond HTML and CSS: its keys stay in it, lines are copied, tables are sorted.
// JupyterLab listens for shortcuts in the bubbling phase, so a key that is stopped at the panel never reaches it.
const passes = (event) => event.ctrlKey || event.metaKey || event.altKey || event.key === 'Escape'
  || (event.key === 'Enter' && event.shiftKey);

function guard(panel) {
  panel.addEventListener('keydown', (event) => { if (!passes(event)) event.stopPropagation(); });
}

function say(button, word) {
  const before = button.textContent;
  button.textContent = word;
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function copy(button, text, marked) {
  try {
    await navigator.clipboard.writeText(text);
    say(button, 'Copied');
  } catch {
    if (marked) getSelection().selectAllChildren(marked);
    say(button, 'Marked');
  }
}

// Rows further down are laid out when one scrolls towards them: 500 at once take a browser most of a second.
const ROWS_AT_ONCE = 80;

function tables(panel) {
  const view = { by: null, down: false, words: '', columns: null, dense: false, limit: ROWS_AT_ONCE };
  const find = (css) => panel.querySelector(css);
  const cells = (row) => [...row.children];
  const words = (cell) => {
    const name = cell.querySelector('.st-cut, .cint-chip');
    return (name ? name.title : cell.textContent.replace('changed: ', '')).trim();
  };
  const safe = (text) => text.replace(/[\t\n]/g, ' ').replace(/^[=+@\t\r-]/, "'$&");

  function order(table) {
    const body = table.tBodies[0];
    const heads = cells(table.tHead.rows[0]);
    const place = heads.findIndex((head) => head.dataset.c === view.by);
    heads.forEach((head, at) => {
      if (at === place) head.setAttribute('aria-sort', view.down ? 'descending' : 'ascending');
      else if (view.by !== null) head.removeAttribute('aria-sort');
    });
    const rows = [...body.rows];
    if (place >= 0) {
      const key = (row) => row.children[place].dataset.v ?? '';
      const numbers = heads[place].classList.contains('r') || heads[place].dataset.k === 'number';
      rows.sort((one, two) => {
        const [a, b] = [key(one), key(two)];
        if (a === '' || b === '') return (a === '') - (b === '') || one.dataset.i - two.dataset.i;
        const by = numbers ? a - b : a.localeCompare(b, undefined, { numeric: true });
        return (view.down ? -by : by) || one.dataset.i - two.dataset.i;
      });
      if (rows.some((row, at) => row !== body.rows[at])) body.append(...rows);
    }
    return rows;
  }

  function filter(table, rows) {
    const wanted = view.words.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.words ??= cells(row).map(words).join(' ').toLowerCase();
      const out = !wanted.every((word) => row.words.includes(word));
      if (row.hidden !== out) row.hidden = out;
      shown += out ? 0 : 1;
      const later = !out && shown > view.limit;
      if (row.classList.contains('st-later') !== later) row.classList.toggle('st-later', later);
    }
    const foot = table.tFoot?.rows[0];
    if (foot) {
      const some = shown < rows.length;
      cells(foot).forEach((cell, at) => {
        cell.dataset.all ??= cell.innerHTML;
        if (!some) { cell.innerHTML = cell.dataset.all; return; }
        if (at === 0) { cell.textContent = `Total, ${shown} shown`; return; }
        if (cell.dataset.sum === undefined) { cell.textContent = ''; return; }
        const sum = rows.filter((row) => !row.hidden).reduce((all, row) => all + Number(row.children[at].dataset.v || 0), 0);
        const decimals = Number(cell.dataset.sum);
        cell.textContent = sum.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
      });
    }
    const count = find('.st-count');
    const all = `${rows.length} target group${rows.length === 1 ? '' : 's'}`;
    const said = shown < rows.length ? `${shown} of ${all}` : all;
    if (count && count.textContent !== said) count.textContent = said;
  }

  function choose(table) {
    const heads = cells(table.tHead.rows[0]);
    const menu = find('.st-menu');
    const names = heads.map((head) => head.dataset.c).join();
    if (menu && menu.dataset.names !== names) {
      menu.dataset.names = names;
      menu.replaceChildren(...heads.slice(1).map((head) => {
        const label = document.createElement('label');
        const box = Object.assign(document.createElement('input'), { type: 'checkbox', value: head.dataset.c });
        box.dataset.lmSuppressShortcuts = 'true';
        box.checked = view.columns ? view.columns.has(head.dataset.c) : getComputedStyle(head).display !== 'none';
        label.append(box, ` ${head.dataset.l}`);
        return label;
      }));
    }
    table.classList.toggle('st-dense', view.dense);
    if (view.columns === null) return;
    table.classList.add('st-chosen');
    heads.forEach((head, at) => {
      const out = at > 0 && !view.columns.has(head.dataset.c);
      for (const row of table.rows) row.children[at]?.classList.toggle('st-out', out);
    });
  }

  function apply() {
    const table = find('table.st');
    if (!table) return;
    choose(table);
    filter(table, order(table));
  }

  function sort(head) {
    const name = head.dataset.c;
    const numbers = head.classList.contains('r');
    if (view.by !== name) Object.assign(view, { by: name, down: numbers });
    else view.down = !view.down;
    apply();
  }

  function rowsAsText() {
    const table = find('table.st');
    const shown = (row) => cells(row).filter((cell) => getComputedStyle(cell).display !== 'none');
    const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.hidden)];
    const plain = (cell) => cell.dataset.l ?? (cell.dataset.v !== undefined && !isNaN(cell.dataset.v) ? words(cell) : safe(words(cell)));
    return rows.map((row) => shown(row).map(plain).join('\t')).join('\n');
  }

  function save(button) {
    const table = find('table.st');
    const heads = cells(table.tHead.rows[0]);
    const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const plain = (cell, kind) => {
      const value = cell.dataset.v ?? '';
      if (kind === 'time') return value && new Date(value * 1000).toISOString();
      if (['text', 'name', 'state', 'warnings', 'any'].includes(kind)) return safe(words(cell));
      return value;
    };
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const lines = [heads.map((head) => head.dataset.c), ...rows.map((row) => cells(row).map((cell, at) => plain(cell, heads[at].dataset.k)))];
    const blob = new Blob([lines.map((line) => line.map(quote).join(',')).join('\n') + '\n'], { type: 'text/csv' });
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: 'status.csv' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say(button, 'Saved');
  }

  function toggleMenu(open) {
    const [button, menu] = [find('.st-columns'), find('.st-menu')];
    menu.hidden = !open;
    button.setAttribute('aria-expanded', open);
  }

  panel.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button || !panel.contains(button)) return;
    if (button.closest('table.st thead')) sort(button.closest('th'));
    else if (button.classList.contains('st-copy')) copy(button, rowsAsText(), find('table.st'));
    else if (button.classList.contains('st-csv')) save(button);
    else if (button.classList.contains('st-columns')) toggleMenu(find('.st-menu').hidden);
    else if (button.classList.contains('st-density')) {
      view.dense = !view.dense;
      button.setAttribute('aria-pressed', view.dense);
      apply();
    } else if (button.classList.contains('cint-copy')) {
      const code = button.closest('.cint-line').querySelector('code');
      copy(button, code.textContent, code);
    }
  });
  panel.addEventListener('input', (event) => {
    if (event.target.classList.contains('st-filter')) { view.words = event.target.value; view.limit = ROWS_AT_ONCE; apply(); }
  });
  panel.addEventListener('change', (event) => {
    if (!event.target.closest('.st-menu')) return;
    view.columns = new Set([...find('.st-menu').querySelectorAll('input:checked')].map((box) => box.value));
    apply();
  });
  panel.addEventListener('scroll', ({ target }) => {
    const table = find('table.st');
    if (!target.classList?.contains('st-view') || target.scrollHeight - target.scrollTop - target.clientHeight > 600) return;
    const later = [...table.tBodies[0].querySelectorAll('.st-later')];
    view.limit += later.length ? ROWS_AT_ONCE : 0;
    later.slice(0, ROWS_AT_ONCE).forEach((row) => row.classList.remove('st-later'));
  }, true);
  panel.addEventListener('keydown', (event) => {
    const menu = find('.st-menu');
    if (event.key === 'Escape' && menu && !menu.hidden) { toggleMenu(false); find('.st-columns').focus(); }
  });
  const part = find(':scope > .cint-table-part') ?? find('.cint-table-part');
  if (part) {
    new MutationObserver((changes) => {
      if (changes.some((change) => [...change.addedNodes].some((node) => node.querySelector?.('table.st') || node.matches?.('table.st')))) apply();
    }).observe(part, { childList: true, subtree: true });
    apply();
  }
}

// A job between two polls, or two that found the same: the kernel sends nothing, and what can be foreseen moves here.
const ALMOST_DONE = 0.99;

// Both write as `text_format.py` does, whose words they replace.
function span(low, high) {
  const [size, unit, digits] = high >= 7200 ? [3600, 'h', 1] : high >= 90 ? [60, 'min', 0] : [1, 's', 0];
  const tenths = (seconds) => (Math.floor(seconds / 360 + 0.5) / 10).toFixed(1);
  const first = digits ? tenths(low) : `${Math.floor(low / size)}`;
  const second = digits ? tenths(high) : `${Math.ceil(high / size)}`;
  if (first === second) return `${second} ${unit}`;
  return Number(first) === 0 ? `up to ${second} ${unit}` : `${first}–${second} ${unit}`;
}

const hundredths = (share) => Math.floor(share * 100 + 1e-9);

function percent(low, high) {
  const [first, second] = [low, high].map(hundredths);
  return `${first === second ? second : `${first}–${second}`} %`;
}

function move(job, seconds) {
  const figures = (name) => (job.dataset[name] ?? '').split(' ').filter(Boolean).map(Number);
  const write = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };
  const passed = seconds * (figures('speed')[0] ?? 0);
  const growth = figures('growth');
  if (growth.some((rate) => rate > 0)) {
    const [low, high] = figures('share').map((share, at) => Math.min(share + growth[at] * passed, ALMOST_DONE));
    const words = percent(low, high);
    write(job.querySelector('.jb-1 > span:last-child'), `${words} estimated`);
    const bar = job.querySelector('.cint-bar');
    bar.setAttribute('aria-valuenow', hundredths(low));
    bar.setAttribute('aria-valuetext', `${words.replace('–', ' to ').replace('%', 'percent')} estimated`);
    bar.querySelector('.cint-maybe').style.width = `${high * 100}%`;
    const mark = bar.querySelector('.jb-mark');
    if (mark) mark.style.left = `${low * 100}%`;
  }
  const left = figures('left').map((each) => Math.max(each - passed, 0));
  if (left.length) write(job.querySelector('.jb-left'), left[1] >= 1 ? `${span(...left)} left` : 'longer than usual');
}

function jobs(panel) {
  const part = panel.querySelector(':scope > .cint-job-part');
  if (!part) return;
  // A drawing replaces all of it, and a screen reader hears only what changes within a region that stays.
  const heard = Object.assign(document.createElement('div'), { className: 'cint-vh' });
  heard.setAttribute('role', 'status');
  part.append(heard);
  let [from, timer] = [0, null];
  const tell = () => {
    const [state, ...others] = part.querySelectorAll('.jb-1 > span:first-child > span:is(.jb-live, .jb-gone)');
    const gone = panel.classList.contains('jupyter-widgets-disconnected');
    const said = (gone ? others[0] : state) ?? part.querySelector('.jb-1 > span:first-child');
    if (said && heard.textContent !== said.textContent) heard.textContent = said.textContent;
  };
  const take = () => {
    part.querySelector('.jb-1')?.removeAttribute('role');
    tell();
    clearInterval(timer);
    from = performance.now();
    const job = part.querySelector('.jb[data-speed]');
    if (job) timer = setInterval(() => (job.isConnected ? move(job, (performance.now() - from) / 1000) : clearInterval(timer)), 1000);
  };
  const drawn = (change) => !heard.contains(change.target) && [...change.addedNodes].some((node) => node.querySelector?.('.jb') || node.matches?.('.jb'));
  new MutationObserver((changes) => { if (changes.some(drawn)) take(); }).observe(part, { childList: true, subtree: true });
  new MutationObserver(tell).observe(panel, { attributeFilter: ['class'] });
  take();
}

function begin(panel) {
  if (panel.dataset.cint) return;
  panel.dataset.cint = 'scripted';
  panel.classList.add('cint-scripted');
  guard(panel);
  tables(panel);
  jobs(panel);
}

function render({ el }) {
  const look = (tries) => {
    const panel = el.closest('.cint-panel');
    if (panel && el.isConnected) begin(panel);
    else if (tries) setTimeout(look, 50, tries - 1);
  };
  look(100);
}

export { percent, span };
export default { render };
