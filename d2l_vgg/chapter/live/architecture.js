// A builder of VGG networks: blocks are added, removed and changed by buttons
// or as text, and what the network costs follows at once

(() => {

// A name, what the network is, its blocks, and what is not as in the paper
const PRESETS = [
  ['A', 'VGG-11, network A of the paper',
    [[1, 64], [1, 128], [2, 256], [2, 512], [2, 512]]],
  ['B', 'VGG-13, network B of the paper',
    [[2, 64], [2, 128], [2, 256], [2, 512], [2, 512]]],
  ['C', 'network C of the paper, with 1 × 1 convolutions',
    [[2, 64], [2, 128], [2, 256, 1], [2, 512, 1], [2, 512, 1]]],
  ['D', 'VGG-16, network D of the paper',
    [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]]],
  ['E', 'VGG-19, network E of the paper',
    [[2, 64], [2, 128], [4, 256], [4, 512], [4, 512]]],
  ['Small', 'the small network that the book trains',
    [[1, 16], [1, 32], [2, 64], [2, 128], [2, 128]]],
  ['Quick', 'the small network with batch normalization, made for 28 × 28 pixels',
    [[1, 16], [1, 32], [2, 64]],
    {hidden: [128], dropout: false, norm: 'batch'}],
].map(([name, about, blocks, changes]) => ({name, about, net: {
  blocks, hidden: [4096, 4096], dropout: true, norm: 'none', ...changes}}));

// ------------------------------------------------------------ what is shown

const sum = (rows, kind) => rows.reduce((all, row) => all + row[kind], 0);
const commas = number => number.toLocaleString('en');
const percent = part =>
  `${(100 * part).toFixed(part < .01 || part > .99 ? 1 : 0)}%`;
// Of float32 numbers; `data` tells programs the bytes
const memory = numbers => `<data value="${4 * numbers}">` +
  `${(4 * numbers / 2 ** 20).toFixed(2)} MiB</data>`;

const WIDTH = 360, HEIGHT = 110, GAP = 24;

const rect = (kind, x, y, width, height) => `<rect class="${kind}" x="${x}"` +
  ` y="${y}" width="${width}" height="${height}"></rect>`;
const text = (x, y, anchor, words) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;

// Each convolution is a slab, as wide as it has channels, as high as its
// output has pixels; before all is the image, after all what is left of it
function drawBlocks({blocks, side, channels}) {
  const last = blocks[blocks.length - 1][1];
  const groups = [[[channels, 'image']],
    ...blocks.map(([numConvs, numChannels, num1x1 = 0]) => [
      ...Array(numConvs).fill([numChannels, 'slab']),
      ...Array(num1x1).fill([numChannels, 'slab one'])]),
    [[last, 'image']]];
  const all = groups.flat().reduce((all, [width]) => all + width, 0);
  const scale = (WIDTH - GAP * groups.length) / all;
  let x = GAP / 2, pixels = side, drawn = '';
  groups.forEach((slabs, i) => {
    const start = x, height = HEIGHT * pixels / side;
    for (const [width, kind] of slabs) {
      drawn += rect(kind, x, 24 + HEIGHT - height, width * scale, height);
      x += width * scale;
    }
    if (i > 0) {
      drawn += text((start + x) / 2, 40 + HEIGHT, 'middle', pixels);
      pixels = Math.floor(pixels / 2);
    }
    x += GAP;
  });
  const most = Math.max(...blocks.map(block => block[1]));
  const end = WIDTH - GAP / 2;
  return drawn + text(end, 12, 'end', `${commas(most)} channels`) +
    rect('scale', end - most * scale, 18, most * scale, 2);
}

// A bar for each cost, with a part for each row
function drawShares(rows) {
  const dense = rows.filter(row => row.isDense);
  return [['params', 'Parameters'], ['macs', 'Multiply-adds'],
    ['activations', 'Memory']].map(([kind, title], i) => {
    const y = HEIGHT + 66 + 40 * i, all = sum(rows, kind);
    let x = 0, drawn = text(0, y, 'start', `${title}: ` +
      `${percent(sum(dense, kind) / all)} in the fully connected layers`);
    for (const row of rows) {
      const width = WIDTH * row[kind] / all;
      drawn += rect(row.isDense ? 'dense' : 'slab', x, y + 6, width, 14);
      x += width;
    }
    return drawn;
  }).join('');
}

// With roles, since a narrow page lays the cells out in another way
function tableOf(rows) {
  const line = (tag, role, cells) => `<tr role="row">${cells.map((cell, i) =>
    i ? `<${tag} role="${role}">${cell}</${tag}>`
      : `<th role="${role.replace('cell', 'rowheader')}">${cell}</th>`
  ).join('')}</tr>`;
  const lines = rows.map(row => line('td', 'cell', [row.name,
    row.size.join(' × '), row.seen ? `${row.seen} × ${row.seen}` : 'all',
    commas(row.params), commas(row.macs), memory(row.activations)]));
  const head = line('th', 'columnheader', ['Layers', 'Output',
    'Receptive field', 'Parameters', 'Multiply-adds', 'Memory']);
  return `<caption>For one image. Memory is that of all outputs of the
    layers in float32, which training keeps.</caption>
    <thead role="rowgroup">${head}</thead>
    <tbody role="rowgroup">${lines.join('')}</tbody>`;
}

function totalsOf(rows, {blocks}) {
  const params = sum(rows, 'params'), macs = sum(rows, 'macs');
  return [
    ['Layers with weights', sum(rows, 'numLayers')],
    ['Parameters', commas(params)],
    ['Multiply-adds for one image', commas(macs)],
    ['Multiply-adds for each parameter', (macs / params).toFixed(1)],
    ['Memory of all outputs', memory(sum(rows, 'activations'))],
    ['The last block sees', `${rows[blocks.length - 1].seen} pixels a side`],
  ].map(([what, number]) => `<dt>${what}</dt><dd>${number}</dd>`).join('');
}

// ------------------------------------------------------------- the controls

// A number of a block between two buttons; `place` is where the block has it
const stepper = (what, number, place, less, more) => {
  const button = ([change, sign, word]) => `<button type="button"
    data-place="${place}" data-change="${change}"
    aria-label="${word} ${what} of block ${number}">${sign}</button>`;
  return `<span aria-hidden="true">${what}</span><div class="stepper">
    ${button(less)}<input type="number" data-place="${place}" min="1"
    aria-label="${what} of block ${number}">${button(more)}</div>`;
};

const cardOf = number => `<legend>Block ${number}</legend>
  ${stepper('convolutions', number, 0,
    ['less', '−', 'Fewer'], ['more', '+', 'More'])}
  ${stepper('channels', number, 1,
    ['half', '½', 'Half the'], ['double', '×2', 'Double the'])}
  <button type="button" data-change="remove"
    aria-label="Remove block ${number}">Remove</button>`;

const CHANGES = {
  less: n => Math.max(1, n - 1), more: n => n + 1,
  half: n => Math.max(1, Math.floor(n / 2)), double: n => 2 * n,
};

const number = (title, field) => `<label>${title}
  <input type="number" min="1" data-field="${field}"></label>`;

const TOOL = `
  <div class="row" role="group" aria-label="Networks to begin with">
    ${PRESETS.map(({name, about}) => `<button type="button"
      data-preset="${name}" title="${about}">${name}</button>`).join('')}
  </div>
  <label>arch: num_convs and num_channels of each block (and, as in C, how
    many 1 × 1 convolutions follow)
    <textarea rows="2" spellcheck="false" autocapitalize="off"
      data-field="arch"></textarea></label>
  <div class="blocks">
    <button type="button" data-change="add">Add a block</button></div>
  <div class="row">${number('Image, pixels a side', 'side')}
    ${number('Image, channels', 'channels')}
    ${number('Classes', 'classes')}</div>
  <details><summary>Hidden layers and normalization</summary>
    <div class="row">
      <label>Widths of the hidden layers <input data-field="hidden"></label>
      <label>Normalization <select data-field="norm">
        <option value="none">none</option>
        <option value="batch">after each convolution (batch)</option>
        <option value="local">after the first block (local)</option>
      </select></label>
      <label class="tick"><input type="checkbox" data-field="dropout">
        Dropout after each hidden layer</label></div></details>
  <p role="status"></p>
  <div class="result">
    <div class="overview"><svg role="img" viewBox="0 0 ${WIDTH}
      ${HEIGHT + 168}"></svg><dl></dl></div>
    <table role="table"></table>
    <p>In Python:</p>
    <div class="highlight"><pre></pre></div></div>`;

live.architecture = async tool => {
  await load('vgg');
  const find = selector => tool.querySelector(selector);
  tool.classList.add('architecture');
  tool.innerHTML = TOOL;
  addCopyButton(find('pre'));
  const add = find('[data-change="add"]');
  const cards = tool.getElementsByTagName('fieldset');
  // What the controls say, which may be no network
  const net = {side: 224, channels: 1, classes: 10};
  const choose = preset =>  // Not the preset's own blocks, which stay
    Object.assign(net, JSON.parse(JSON.stringify(preset.net)));
  const isChosen = preset => Object.entries(preset.net).every(
    ([key, value]) => JSON.stringify(value) === JSON.stringify(net[key]));

  function fillControls() {
    while (cards.length > net.blocks.length) {
      const last = cards[cards.length - 1];
      if (last.contains(document.activeElement)) add.focus();
      last.remove();
    }
    while (cards.length < net.blocks.length) {
      const card = document.createElement('fieldset');
      card.innerHTML = cardOf(cards.length + 1);
      add.before(card);
    }
    // Never what is being typed; an empty field stays empty
    const fill = (input, value) => {
      if (input === document.activeElement) return;
      input.value = Number.isNaN(value) ? '' : value;
    };
    net.blocks.forEach((block, i) => cards[i].querySelectorAll('input')
      .forEach((input, place) => fill(input, block[place])));
    const texts = {...net, arch: vgg.archText(net.blocks),
      hidden: net.hidden.join(', ')};
    tool.querySelectorAll('[data-field]').forEach(input => {
      if (input.type === 'checkbox') input.checked = net.dropout;
      else fill(input, texts[input.dataset.field]);
    });
    PRESETS.forEach(preset => find(`[data-preset="${preset.name}"]`)
      .setAttribute('aria-pressed', isChosen(preset)));
  }

  // Where there is no such network, the last one stays, and is marked
  function follow(wrong = vgg.wrongWith(net)) {
    fillControls();
    const status = find('[role="status"]');
    tool.classList.toggle('wrong', wrong !== '');
    if (wrong) {
      status.textContent = `${wrong} Below is still the last one that works.`;
      return;
    }
    const rows = vgg.rows(net);
    const preset = PRESETS.find(isChosen);
    status.textContent =
      `This is ${preset ? preset.about : 'a network of your own'}, with ` +
      `${commas(sum(rows, 'params'))} parameters.`;
    const {blocks, side, channels} = net;
    const left = rows[blocks.length - 1].size.join(' × ');
    find('svg').innerHTML = '<title>The blocks to scale: an image of ' +
      `${channels} × ${side} × ${side} becomes ${left}. Each slab is a ` +
      'convolution, as wide as it has channels, as high as it has pixels.' +
      `</title>${drawBlocks(net)}${drawShares(rows)}`;
    find('dl').innerHTML = totalsOf(rows, net);
    find('table').innerHTML = tableOf(rows);
    find('pre').textContent = vgg.python(net);
  }

  tool.addEventListener('click', ({target}) => {
    const {preset, change, place} = target.dataset;
    const card = [...cards].indexOf(target.closest('fieldset'));
    if (preset) {
      choose(PRESETS.find(({name}) => name === preset));
    } else if (change === 'add') {
      const [last] = [...net.blocks.slice(-1), [1, 64]];
      net.blocks.push(last.slice(0, 2));
    } else if (change === 'remove') {
      net.blocks.splice(card, 1);
    } else if (change) {
      const block = net.blocks[card];
      block[place] = CHANGES[change](block[place] || 0);
    } else return;
    follow();
  });

  tool.addEventListener('input', ({target}) => {
    const {field, place} = target.dataset, {value} = target;
    if (field === 'arch') {
      const blocks = vgg.readArch(value);
      if (!blocks) {
        return follow('This does not read as blocks: write pairs of ' +
          'num_convs and num_channels, as in ((1, 64), (1, 128)).');
      }
      net.blocks = blocks;
    } else if (field === 'hidden') {
      net.hidden = value.split(/[\s,]+/).filter(each => each).map(Number);
    } else if (field === 'dropout') {
      net.dropout = target.checked;
    } else if (field === 'norm') {
      net.norm = value;
    } else {
      // Of an empty field Number would make 0
      const holder = field ? net
        : net.blocks[[...cards].indexOf(target.closest('fieldset'))];
      holder[field || place] = value === '' ? NaN : Number(value);
    }
    follow();
  });

  choose(PRESETS[0]);
  follow();
};

})();
