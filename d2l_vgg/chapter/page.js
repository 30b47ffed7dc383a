// The tabs of the page, and a button on each code cell that copies it

// Show `tab` all over the page; what another tab alone has is hidden
function showTab(tab) {
  document.querySelectorAll('.mdl-tabs').forEach(box => {
    const names = [...box.querySelectorAll('.mdl-tabs__tab')];
    const has = names.some(name => name.textContent === tab);
    names.forEach(name =>
      name.classList.toggle('is-active', name.textContent === tab));
    box.querySelectorAll('.mdl-tabs__panel').forEach(panel =>
      panel.classList.toggle('is-active',
        has && panel.id.startsWith(tab + '-')));
  });
}

// Called by the tabs themselves
function tagClick(tab) {
  showTab(tab);
  try {
    localStorage.setItem('d2l-tab', tab);
  } catch (error) {
    // A browser may forbid a page of the file system to remember
  }
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

document.addEventListener('DOMContentLoaded', () => {
  document.querySelectorAll(
    'div[class*="highlight-"]:not(.output) .highlight pre'
  ).forEach(addCopyButton);
  const tabs = [...document.querySelectorAll('.mdl-tabs__tab')]
    .map(name => name.textContent);
  let tab = null;
  try {
    tab = localStorage.getItem('d2l-tab');
  } catch (error) {
    // Then the first one is shown
  }
  if (tabs.length) showTab(tabs.includes(tab) ? tab : tabs[0]);
});
