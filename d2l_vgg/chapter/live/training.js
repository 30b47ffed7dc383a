// A box in which the reader trains a plain network and sees it learn. The
// training runs in a worker, so that the page answers meanwhile; the worker
// is made of text, since a page from a file may not load one

const NUM_TRAIN = 1600, BATCH_SIZE = 32;
// A loss of this size, thirty times that of a guess, does not come back
const MOST_LOSS = 70;

// The labels and pixels of the images in the page, one byte each
async function trainingImages() {
  await load('images');
  const packed = Uint8Array.from(atob(live.images), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(
    new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  // A label is a byte; of the pixels, 16 grey levels, each byte has two
  const count = bytes.length / (1 + 784 / 2);
  const pixels = new Uint8Array(784 * count);
  bytes.subarray(count).forEach((byte, j) => {
    pixels[2 * j] = 17 * (byte >> 4);
    pixels[2 * j + 1] = 17 * (byte & 15);
  });
  return {labels: bytes.slice(0, count), pixels};
}

function trainingWorker() {
  const text = `
    ${[convolve, randomNumbers, plainNetwork, trainPlainNetwork].join('\n')}
    onmessage = ({data}) => {
      for (const told of trainPlainNetwork(data)) postMessage(told);
    };`;
  const script = new Blob([text], {type: 'text/javascript'});
  return new Worker(URL.createObjectURL(script));
}

const percentOf = accuracy => `${Math.round(100 * accuracy)}%`;
const rightOf = ({accuracy}) =>
  `${percentOf(accuracy)} of the held-out images are right`;
const plural = (number, what) =>
  `${number} ${what}${number === 1 ? '' : 's'}`;

// What the reader sees, in words. `end` is why the training ended
function whatIsSeen({maxEpochs, losses, validations}, end) {
  const last = validations.at(-1);
  const right = rightOf(last);
  const highest = Math.max(...losses.map(([, loss]) => loss));
  if (end === 'grew') {
    const loss = Math.max(losses.at(-1)[1], last.loss);
    return `The loss grew from ${losses[0][1].toFixed(2)} to `
      + (loss < 1e6 ? Math.round(loss) : 'more than a million')
      + ` in ${plural(losses.length, 'step')}: each went too far, and the `
      + 'next one farther. Try a smaller learning rate.';
  }
  if (end === 'died') {
    return `The loss went up to ${highest.toFixed(1)}: the steps were too `
      + 'large. Now the ReLUs are 0 for every image, so all images get the '
      + 'same scores, the gradients of the convolutions are 0, and the '
      + 'network cannot recover. Try a smaller learning rate.';
  }
  if (end === 'stopped') {
    return `Stopped after ${last.epoch.toFixed(1)} epochs: ${right}.`;
  }
  const text = `After ${plural(maxEpochs, 'epoch')} ${right}.`;
  if (last.loss > 2) {
    return `${text} The loss is still near 2.30, that of a guess among ten `
      + `classes. Try a ${highest > 3 ? 'smaller' : 'larger'} learning rate.`;
  }
  const best = validations.reduce((a, b) => b.loss < a.loss ? b : a);
  if (last.loss > 1.1 * best.loss) {
    return `${text} Their loss was lower before, ${best.loss.toFixed(2)} `
      + `after ${best.epoch.toFixed(1)} epochs; now it is `
      + `${last.loss.toFixed(2)}. If its curve jumps up and down, the steps `
      + 'are large: try a smaller learning rate. If it rises steadily while '
      + 'the training loss falls, the network overfits.';
  }
  return last !== best ? text
    : `${text} Their loss still falls: more epochs may do better.`;
}

live.training = async tool => {
  await load('convolution');
  await load('plain_network');
  await load('chart');
  const number = (name, words, value, limits) => `<label>${words}
    <input name="${name}" type="number" value="${value}" ${limits} required>
    </label>`;
  tool.innerHTML = `<form aria-label="Training">
    <label>Network <select name="numConvs">
      <option value="1">one convolution</option>
      <option value="2">two convolutions</option></select></label>
    ${number('lr', 'Learning rate', 0.02, 'min="0.00001" step="any"')}
    ${number('momentum', 'Momentum', 0.9, 'min="0" max="0.999" step="any"')}
    ${number('maxEpochs', 'Epochs', 4, 'min="1" max="30"')}
    ${number('seed', 'Seed', 1, 'min="0" max="999999"')}
    <button>Train</button></form>
    <p role="status">1600 images to train on and 400 held out are in this
    page.</p><div class="charts"></div><ol aria-label="Finished runs"></ol>`;
  const form = tool.querySelector('form');
  const button = tool.querySelector('button');
  const status = tool.querySelector('[role=status]');
  const charts = tool.querySelector('.charts');
  const drawLoss = addChart(charts, 'Loss', 3,
    {training: 'training', validation: 'held-out', earlier: 'run before'});
  const drawAccuracy = addChart(charts, 'Accuracy', 1,
    {validation: 'held-out', earlier: 'run before'});
  let worker = null, run = null, images = null, isDrawing = false;

  function draw() {
    isDrawing = false;
    const {maxEpochs, losses, validations, earlier} = run;
    const curve = (of, name) => of.map(v => [v.epoch, v[name]]);
    drawLoss(maxEpochs, {training: losses,
      validation: curve(validations, 'loss'),
      earlier: curve(earlier, 'loss')});
    drawAccuracy(maxEpochs, {validation: curve(validations, 'accuracy'),
      earlier: curve(earlier, 'accuracy')});
  }

  function hear({epoch, loss, validation}) {
    if (loss !== undefined) run.losses.push([epoch, loss]);
    if (validation) run.validations.push({epoch, ...validation});
    if (!isDrawing) requestAnimationFrame(draw);
    isDrawing = true;
    // A loss that is not a number is not smaller, either
    const isTooLarge = l => l !== undefined && !(l < MOST_LOSS);
    if (isTooLarge(loss) || isTooLarge(validation?.loss)) finish('grew');
    else if (validation && !validation.isAlive) finish('died');
    else if (epoch === run.maxEpochs) finish('done');
    else if (validation && Number.isInteger(epoch)) {
      status.textContent = `Epoch ${epoch} of ${run.maxEpochs}: `
        + `${rightOf(validation)}.`;
    }
  }

  function finish(end) {
    worker.terminate();
    worker = null;
    Object.assign(
      button, {textContent: 'Train again', formNoValidate: false});
    if (run.losses.length === 0) {
      status.textContent = 'Stopped before the first step.';
      return;
    }
    status.textContent = whatIsSeen(run, end);
    const convs = run.numConvs === 1 ? 'one convolution' : 'two convolutions';
    const {epoch, accuracy, values} = run.validations.at(-1);
    const isLost = end === 'grew' || end === 'died';
    const time = plural(Number(epoch.toFixed(1)), 'epoch');
    const result = isLost ? 'lost'
      : `${percentOf(accuracy)} right after ${time}`;
    const item = document.createElement('li');
    item.textContent = `${convs}, learning rate ${run.lr}, momentum `
      + `${run.momentum}, seed ${run.seed}: ${result}`;
    tool.querySelector('ol').append(item);
    if (isLost) return;
    const net = plainNetwork(run.numConvs);
    net.parameters.forEach(({value}, i) => value.set(values[i]));
    live.trained = {name: `yours: ${convs}, ${result}`,
      predict: pixels => net.forward(pixels).slice()};
    document.dispatchEvent(new Event('live-trained'));
  }

  async function start() {
    const chosen = Object.fromEntries([...new FormData(form)].map(
      ([name, value]) => [name, Number(value)]));
    // Whatever is in the fields meanwhile
    Object.assign(button, {textContent: 'Stop', formNoValidate: true});
    status.textContent = 'It learns ...';
    run = {...chosen, losses: [], validations: [],
      earlier: run?.validations ?? []};
    const started = worker = trainingWorker();
    // What was under way when it was stopped is not heard
    started.onmessage = ({data}) => { if (worker === started) hear(data); };
    images ??= await trainingImages();
    started.postMessage({...chosen, ...images, numTrain: NUM_TRAIN,
      batchSize: BATCH_SIZE});
  }

  form.addEventListener('submit', event => {
    event.preventDefault();
    if (worker) finish('stopped');
    else start();
  });
};
