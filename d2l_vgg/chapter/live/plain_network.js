// A plain network and its training: forward, backward, update as in the book.
// The text of these functions goes to a worker, so they use nothing but each
// other and `convolve`

// Return a function whose numbers from 0 to 1 look random, but are the same
// for the same seed: the generator mulberry32
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), seed | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

// A VGG block of `numConvs` convolutions, each with a ReLU, and of pooling,
// and a dense layer that makes a score for each class of what is left
function plainNetwork(numConvs) {
  const size = 28, padded = size + 2, area = size * size;
  const numChannels = 8, numClasses = 10;
  const numFeatures = numChannels * area / 4;
  const parameters = [], convs = [];

  function parameter(length) {
    const made = {
      value: new Float32Array(length),
      grad: new Float32Array(length),
      velocity: new Float32Array(length),
    };
    parameters.push(made);
    return made;
  }

  // X goes into a layer and Y comes out; dX and dY are the gradients of the
  // loss by them. X and dX have a border of zeros, which is the padding
  for (let l = 0; l < numConvs; l++) {
    const inChannels = l === 0 ? 1 : numChannels;
    convs.push({
      inChannels,
      W: parameter(numChannels * inChannels * 9),
      b: parameter(numChannels),
      X: new Float32Array(inChannels * padded * padded),
      dX: new Float32Array(inChannels * padded * padded),
      Y: new Float32Array(numChannels * area),
      dY: new Float32Array(numChannels * area),
    });
  }
  const last = convs[numConvs - 1];
  const dense = {W: parameter(numClasses * numFeatures),
    b: parameter(numClasses)};
  // What pooling leaves, and where in Y each number of it was
  const H = new Float32Array(numFeatures), dH = new Float32Array(numFeatures);
  const largest = new Int32Array(numFeatures);
  const scores = new Float32Array(numClasses);
  const probs = new Float64Array(numClasses);

  // Xavier's: the more inputs and outputs, the smaller the weights
  function initialize(random) {
    const draw = (W, inputs, outputs) => {
      const limit = Math.sqrt(6 / (inputs + outputs));
      W.value.forEach((_, j) => { W.value[j] = limit * (2 * random() - 1); });
    };
    convs.forEach(({W, inChannels}) =>
      draw(W, 9 * inChannels, 9 * numChannels));
    draw(dense.W, numFeatures, numClasses);
  }

  // Call `visit` with the index of each number in `numChannels` channels
  // without the border, and with its index within the border
  function eachPlace(channels, visit) {
    for (let c = 0, j = 0; c < channels; c++) {
      for (let row = 1; row <= size; row++) {
        const x = (c * padded + row) * padded + 1;
        for (let col = 0; col < size; col++, j++) visit(j, x + col);
      }
    }
  }

  // `image`: 784 numbers from 0 to 255. Returns the scores of the classes
  function forward(image) {
    const [first] = convs;
    eachPlace(1, (j, x) => { first.X[x] = image[j] / 255; });
    convs.forEach(({X, W, b, Y, inChannels}, l) => {
      convolve(X, W.value, b.value, Y, inChannels, numChannels, size);
      for (let j = 0; j < Y.length; j++) if (Y[j] < 0) Y[j] = 0;  // ReLU
      const next = convs[l + 1];
      if (next) eachPlace(numChannels, (j, x) => { next.X[x] = Y[j]; });
    });
    pool(last.Y);
    for (let k = 0; k < numClasses; k++) {
      const {W, b} = dense, w = k * numFeatures;
      let sum = b.value[k];
      for (let j = 0; j < numFeatures; j++) sum += W.value[w + j] * H[j];
      scores[k] = sum;
    }
    return scores;
  }

  function pool(Y) {
    for (let row = 0, j = 0; row < numChannels * size; row += 2) {
      for (let y = row * size; y < (row + 1) * size; y += 2, j++) {
        let best = y;
        if (Y[y + 1] > Y[best]) best = y + 1;
        if (Y[y + size] > Y[best]) best = y + size;
        if (Y[y + size + 1] > Y[best]) best = y + size + 1;
        largest[j] = best;
        H[j] = Y[best];
      }
    }
  }

  // Softmax and cross-entropy, after `forward`. The largest score is taken
  // off all of them: the exponential of a large one is no number any more
  function loss(label) {
    const most = Math.max(...scores);
    let sum = 0;
    scores.forEach(score => { sum += Math.exp(score - most); });
    for (let k = 0; k < numClasses; k++) {
      probs[k] = Math.exp(scores[k] - most) / sum;
    }
    return Math.log(sum) + most - scores[label];
  }

  // After `forward`: add the gradients for one example of a minibatch to
  // those of the parameters. Returns the loss
  function backward(label, batchSize) {
    const l = loss(label);
    dH.fill(0);
    for (let k = 0; k < numClasses; k++) {
      const {W, b} = dense, w = k * numFeatures;
      const d = (probs[k] - (k === label ? 1 : 0)) / batchSize;
      b.grad[k] += d;
      for (let j = 0; j < numFeatures; j++) {
        W.grad[w + j] += d * H[j];
        dH[j] += d * W.value[w + j];
      }
    }
    // Of four numbers, pooling has let through the largest alone
    last.dY.fill(0);
    for (let j = 0; j < numFeatures; j++) last.dY[largest[j]] = dH[j];
    for (let i = numConvs - 1; i >= 0; i--) {
      const before = convs[i - 1], {dX} = convs[i];
      convolveBackward(convs[i], before !== undefined);
      if (before) {
        eachPlace(numChannels, (j, x) => { before.dY[j] = dX[x]; });
      }
    }
    return l;
  }

  // The gradient by an image is of no use: `needsInput` is false there
  function convolveBackward({inChannels, W, b, X, dX, Y, dY}, needsInput) {
    dX.fill(0);
    for (let k = 0, j = 0; k < numChannels; k++) {
      for (let row = 0; row < size; row++) {
        for (let col = 0; col < size; col++, j++) {
          // Where the ReLU has made a 0, a change does nothing
          const d = Y[j] > 0 ? dY[j] : 0;
          if (d === 0) continue;
          b.grad[k] += d;
          for (let c = 0; c < inChannels; c++) {
            let w = 9 * (k * inChannels + c);
            let x = (c * padded + row) * padded + col;
            for (let i = 0; i < 3; i++, w += 3, x += padded) {
              W.grad[w] += d * X[x];
              W.grad[w + 1] += d * X[x + 1];
              W.grad[w + 2] += d * X[x + 2];
              if (needsInput) {
                dX[x] += d * W.value[w];
                dX[x + 1] += d * W.value[w + 1];
                dX[x + 2] += d * W.value[w + 2];
              }
            }
          }
        }
      }
    }
  }

  // One step of SGD with momentum; the gradients begin at zero again
  function update(lr, momentum) {
    for (const {value, grad, velocity} of parameters) {
      for (let j = 0; j < value.length; j++) {
        velocity[j] = momentum * velocity[j] + grad[j];
        value[j] -= lr * velocity[j];
      }
      grad.fill(0);
    }
  }

  return {parameters, initialize, forward, loss, backward, update,
    // Whether any feature of the last image is not 0
    isAlive: () => H.some(feature => feature !== 0)};
}

// Train, and tell after each minibatch its `loss`; a few times an epoch, too,
// how well the network does on the images held out, and its numbers.
// `pixels`: 784 bytes an image; the first `numTrain` images are trained on
function* trainPlainNetwork({numConvs, lr, momentum, maxEpochs, seed, pixels,
    labels, numTrain, batchSize}) {
  const image = i => pixels.subarray(784 * i, 784 * (i + 1));
  const random = randomNumbers(seed), net = plainNetwork(numConvs);
  const stepsPerEpoch = Math.ceil(numTrain / batchSize);

  function validate() {
    let loss = 0, right = 0, isAlive = false;
    for (let i = numTrain; i < labels.length; i++) {
      const scores = net.forward(image(i));
      loss += net.loss(labels[i]);
      isAlive ||= net.isAlive();
      if (scores.indexOf(Math.max(...scores)) === labels[i]) right += 1;
    }
    const count = labels.length - numTrain;
    return {loss: loss / count, accuracy: right / count, isAlive,
      values: net.parameters.map(parameter => parameter.value)};
  }

  net.initialize(random);
  yield {epoch: 0, validation: validate()};
  const order = Uint16Array.from({length: numTrain}, (_, i) => i);
  for (let step = 1; step <= maxEpochs * stepsPerEpoch; step++) {
    const batch = (step - 1) % stepsPerEpoch;
    if (batch === 0) {  // Shuffle
      for (let i = numTrain - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
    }
    const chosen = order.subarray(batch * batchSize, (batch + 1) * batchSize);
    let loss = 0;
    for (const i of chosen) {
      net.forward(image(i));
      loss += net.backward(labels[i], chosen.length) / chosen.length;
    }
    net.update(lr, momentum);
    const isTime = (batch + 1) % Math.ceil(stepsPerEpoch / 4) === 0
      || batch + 1 === stepsPerEpoch;
    yield {epoch: step / stepsPerEpoch, loss,
      validation: isTime ? validate() : undefined};
  }
}
