// The tabs of the page, what its address names, a button that copies code, and
// what can be tried

const root = document.documentElement;

// Over panels of code, a bar with a button for each
function addBar(box, number) {
  const bar = document.createElement('div');
  bar.setAttribute('role', 'tablist');
  bar.setAttribute('aria-label', 'Framework');
  for (const panel of box.children) {
    const {only, title} = panel.dataset;
    const button = document.createElement('button');
    button.type = 'button';
    button.id = `tab-${only}-${number}`;
    button.dataset.tab = only;
    button.textContent = title;
    panel.id = `panel-${only}-${number}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', button.id);
    button.setAttribute('role', 'tab');
    button.setAttribute('aria-controls', panel.id);
    button.addEventListener('click', () => choose(button));
    button.addEventListener('keydown', moveByKey);
    bar.append(button);
  }
  box.prepend(bar);
}

// What is shown of each tab is told to the style sheet by one attribute. This
// script runs before there is anything to show, so nothing moves later
function chooseTab(tab) {
  root.dataset.tab = tab;
  document.querySelectorAll('[role="tab"]').forEach(button => {
    const chosen = button.dataset.tab === tab;
    button.setAttribute('aria-selected', chosen);
    button.tabIndex = chosen ? 0 : -1;
  });
  letScroll();
}

function remember(tab) {
  try {
    localStorage.setItem('d2l-tab', tab);
  } catch (error) {
    // A browser may forbid a page of the file system to remember
  }
}

// The tab that the address names (`?tab=pytorch`), or the one of last time
function firstTab() {
  const tabs = (root.dataset.tabs || '').split(' ');
  let tab = new URLSearchParams(location.search).get('tab');
  if (tabs.includes(tab)) {
    remember(tab);  // For the pages to which this one leads
    return tab;
  }
  try {
    tab = localStorage.getItem('d2l-tab');
  } catch (error) {
    // Then the first one is shown
  }
  return tabs.includes(tab) ? tab : tabs[0];
}

// The other panels of the page change with a tab, so its button would move
function choose(button) {
  const before = button.getBoundingClientRect().top;
  chooseTab(button.dataset.tab);
  remember(button.dataset.tab);
  scrollBy(0, button.getBoundingClientRect().top - before);
}

function moveByKey(event) {
  const bar = event.target.closest('[role="tablist"]');
  const buttons = [...bar.querySelectorAll('[role="tab"]')];
  const here = buttons.indexOf(event.target);
  const next = {
    ArrowLeft: (here + buttons.length - 1) % buttons.length,
    ArrowRight: (here + 1) % buttons.length,
    Home: 0,
    End: buttons.length - 1,
  }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  choose(buttons[next]);
  buttons[next].focus();
}

// Go to what the address names, be it in another tab or folded
function goToTarget() {
  const target = document.querySelector(':target');
  if (!target) return;
  for (let box = target; box; box = box.parentElement) {
    const only = box.dataset && box.dataset.only;
    if (only && !only.split(' ').includes(root.dataset.tab)) {
      chooseTab(only.split(' ')[0]);
    }
    if (box.tagName === 'DETAILS') box.open = true;
  }
  target.scrollIntoView();
}

function addCopyButton(pre) {
  const button = document.createElement('button');
  button.className = 'copy-code';
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(pre.innerText);
    } catch (error) {
      // Where the clipboard is denied, select the code, so that Ctrl-C does it
      getSelection().selectAllChildren(pre);
      document.execCommand('copy');
    }
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  pre.parentElement.appendChild(button);
}

// Where cells were not run, what they print is marked as recorded
function markRecorded(note) {
  document.querySelectorAll(
    `main div[data-only="${note.dataset.only}"] :is(div.output, figure:not([id]))`
  ).forEach(box => box.classList.add('recorded'));
}

// What is wider than the page can be moved by keys as well
function letScroll() {
  document.querySelectorAll('main pre, .table, figure').forEach(box => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  });
}

// What can be tried is in files beside this one: `live/NAME.js` sets
// `live.NAME`, a function that fills a tool, and is told its box
const live = {};
const liveFolder = new URL('live/', document.currentScript.src).href;
const loaded = {};

// Load a script, once; a page from a file may load nothing in another way
function load(name) {
  loaded[name] ??= new Promise((done, fail) => {
    const script = document.createElement('script');
    Object.assign(script, {
      src: `${liveFolder}${name}.js`, onload: done, onerror: fail});
    document.head.append(script);
  });
  return loaded[name];
}

// Fill a box with a tool, which is shown in place of what stands in it
async function bringToLife(box) {
  const name = box.dataset.live;
  const style = document.createElement('link');
  Object.assign(style, {
    rel: 'stylesheet', href: `${liveFolder}${name}.css`});
  document.head.append(style);
  await load(name);
  const tool = document.createElement('div');
  tool.className = 'tool';
  await live[name](tool, box);
  box.append(tool);
  box.classList.add('ready');
}

root.dataset.tab = firstTab();

document.addEventListener('DOMContentLoaded', () => {
  document.querySelectorAll('.tabs').forEach(addBar);
  document.querySelectorAll('.note[data-only]').forEach(markRecorded);
  chooseTab(root.dataset.tab);
  document.querySelectorAll(
    'div[class*="highlight-"]:not(.output) .highlight pre'
  ).forEach(addCopyButton);
  const print = document.querySelector('button.print');
  if (print) print.addEventListener('click', () => window.print());
  const near = new IntersectionObserver(entries => entries.forEach(entry => {
    if (!entry.isIntersecting) return;
    near.unobserve(entry.target);
    bringToLife(entry.target);
  }), {rootMargin: '1000px'});
  document.querySelectorAll('.live').forEach(box => near.observe(box));
  new ResizeObserver(letScroll).observe(document.body);
  letScroll();
});

// Nothing is folded on paper
let opened = [];
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')];
  opened.forEach(box => { box.open = true; });
});
addEventListener('afterprint', () => {
  opened.forEach(box => { box.open = false; });
});

addEventListener('hashchange', goToTarget);

// Pictures and formulas grow when they come; the reader may be gone by then
addEventListener('load', async () => {
  let moved = false;
  ['wheel', 'touchmove', 'keydown', 'pointerdown'].forEach(kind =>
    addEventListener(kind, () => { moved = true; }, {once: true}));
  goToTarget();
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  letScroll();
  if (!moved) goToTarget();
});
