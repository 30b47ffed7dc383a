// A VGG network as numbers: what cannot be, what it costs, how Python writes
// it. It is {blocks, hidden, dropout, norm, side, channels, classes}, where a
// block is [num_convs, num_channels] or [num_convs, num_channels, num_1x1],
// `norm` is 'none', 'batch' or 'local', and an image has `side` x `side`
// pixels of `channels` numbers

const vgg = (() => {

// A tuple of one has a comma, too
const tuple = items => `(${items.join(', ')}${items.length > 1 ? '' : ','})`;

const archText = blocks => tuple(blocks.map(tuple));

// Return the blocks that a text tells, or null. VGG(arch=(...), lr=0.01) will
// do as well, since that is what the page offers to copy
function readArch(text) {
  const list = text.replace(/^.*arch\s*=\s*/s, '')
    .replace(/,\s*(lr|num_classes)\s*=[^()]*\)\s*$/, '')
    .replace(/\(/g, '[').replace(/\)/g, ']').replace(/,\s*\]/g, ']');
  try {
    // So many are refused, and would be slow to show
    const blocks = JSON.parse(list).slice(0, 11);
    return blocks.every(block => [2, 3].includes(block.length)
      && block.every(Number.isFinite)) ? blocks : null;
  } catch (error) {
    return null;
  }
}

// The class VGG of the chapter takes pairs; the one of the package takes all
function python({blocks, hidden, dropout, norm, classes}) {
  const changes = [
    norm === 'batch' ? ', batch_norm=True' : '',
    norm === 'local' ? ', lrn=True' : '',
    hidden.join() === '4096,4096' ? '' : `, hidden=${tuple(hidden)}`,
    dropout ? '' : ', dropout=0',
  ].join('');
  const owner = changes || blocks.some(block => block[2]) ? 'd2l_vgg.' : '';
  let [head, arch] = ['', archText(blocks)];
  if (changes) {
    head = 'from d2l_vgg.networks.architectures import Architecture\n';
    arch = `Architecture('mine', ${arch}${changes})`;
  }
  const end = classes === 10 ? '' : `, num_classes=${classes}`;
  const lr = norm === 'batch' ? 0.1 : 0.01;
  return `${head}${owner}VGG(arch=${arch}, lr=${lr}${end})`;
}

// Return what is wrong with a network, in a sentence, or an empty text
function wrongWith({blocks, side, channels, classes, hidden}) {
  const numbers = [
    ['The number of blocks', blocks.length, 1, 10],
    ...blocks.flatMap(([numConvs, numChannels, num1x1 = 0], i) => [
      [`num_convs of block ${i + 1}`, numConvs, 1, 16],
      [`num_channels of block ${i + 1}`, numChannels, 1, 2048],
      [`num_1x1 of block ${i + 1}`, num1x1, 0, 3],
    ]),
    ['The side of the image', side, 1, 1024],
    ['The number of channels of the image', channels, 1, 1024],
    ['The number of classes', classes, 1, 100000],
    ['The number of hidden layers', hidden.length, 0, 10],
    ...hidden.map(width => ['The width of a hidden layer', width, 1, 65536]),
  ];
  for (const [what, number, least, most] of numbers) {
    if (!Number.isInteger(number) || number < least || number > most) {
      return `${what} must be a whole number from ${least} to ${most}.`;
    }
  }
  const sides = [side];
  for (let left = side; left > 1; sides.push(left)) left = left >> 1;
  if (blocks.length < sides.length) return '';
  return `A side of ${side} cannot be halved once for each block ` +
    `(${sides.join(', ')}). Remove a block, or take an image of at least ` +
    `${2 ** blocks.length} pixels.`;
}

// Return a row for each block and each fully connected layer. `size` is that
// of its output, `seen` the side of its receptive field, `activations` how
// many numbers its layers put out for one image; a ReLU puts out none, since
// it changes those that are there
function rows({blocks, side, channels, classes, hidden, dropout, norm}) {
  const found = [];
  let seen = 1, step = 1;  // Pixels of the image between two neighbours
  blocks.forEach(([numConvs, numChannels, num1x1 = 0], i) => {
    let params = 0, macs = 0, numMaps = norm === 'local' && i === 0 ? 1 : 0;
    const kernels = [...Array(numConvs).fill(3), ...Array(num1x1).fill(1)];
    for (const kernel of kernels) {
      const weights = channels * kernel ** 2 * numChannels;
      params += weights + numChannels;
      macs += weights * side ** 2;
      numMaps += 1;
      if (norm === 'batch') {
        params += 2 * numChannels;
        numMaps += 1;
      }
      seen += (kernel - 1) * step;
      channels = numChannels;
    }
    let activations = numMaps * channels * side ** 2;
    // The pooling
    seen += step;
    step *= 2;
    side = Math.floor(side / 2);
    activations += channels * side ** 2;
    found.push({name: `Block ${i + 1}`, size: [channels, side, side], seen,
      params, macs, activations, numLayers: kernels.length});
  });
  let units = channels * side ** 2;
  [...hidden, classes].forEach((width, i) => {
    const isHidden = i < hidden.length;
    found.push({
      name: isHidden ? `Hidden ${i + 1}` : 'Output', size: [width],
      params: (units + 1) * width, macs: units * width,
      activations: isHidden && dropout ? 2 * width : width,
      numLayers: 1, isDense: true});
    units = width;
  });
  return found;
}

return {archText, readArch, python, wrongWith, rows};
})();
