// The network `quick` in plain JavaScript, for one image at a time: what
// `model(X)` computes in Python, and all that lies between

class Quick {
  // Each convolution: its name, the numbers of its input and output channels,
  // the side of its maps, and whether pooling follows. Batch normalization is
  // not here: at prediction it is a scale and a shift of each channel, and
  // the weights and biases in `quick.js` already have it
  static convolutions = [
    ['conv1_1', 1, 16, 28, true],
    ['conv2_1', 16, 32, 14, true],
    ['conv3_1', 32, 64, 7, false],
    ['conv3_2', 64, 64, 7, true],
  ];
  // The fully connected layers: inputs and outputs
  static dense = [[64 * 3 * 3, 128], [128, 10]];

  // `numbers`: Float32Array of the weights, then the biases, of each layer;
  // `known`: what `surprise` is compared with
  constructor(numbers, {means, deviations, most}) {
    this.means = Quick.floats(means);
    this.deviations = Quick.floats(deviations);
    this.most = most;
    let used = 0;
    const take = length => {
      used += length;
      return numbers.subarray(used - length, used);
    };
    this.convolutions = Quick.convolutions.map(
      ([name, inChannels, numChannels, size, pool]) => ({
        name, inChannels, numChannels, size, pool,
        W: take(9 * inChannels * numChannels),
        b: take(numChannels),
        // The input, within a border of zeros, and the output before ReLU
        X: new Float32Array(inChannels * (size + 2) ** 2),
        Y: new Float32Array(numChannels * size ** 2),
      }));
    this.dense = Quick.dense.map(([inputs, outputs]) => ({
      W: take(inputs * outputs),
      b: take(outputs),
      X: new Float32Array(inputs),
      Y: new Float32Array(outputs),
    }));
  }

  // `pixels`: 784 numbers from 0 to 255, row by row; the ground is 0. Returns
  // the ten scores before softmax
  predict(pixels) {
    const [first] = this.convolutions, [hidden, last] = this.dense;
    for (let i = 0; i < 28; i++) {
      for (let j = 0; j < 28; j++) {
        first.X[(i + 1) * 30 + j + 1] = pixels[i * 28 + j] / 255;
      }
    }
    this.convolutions.forEach((layer, l) => {
      const {X, W, b, Y, inChannels, numChannels, size} = layer;
      convolve(X, W, b, Y, inChannels, numChannels, size);
      const next = this.convolutions[l + 1];
      Quick.reluAndPool(layer, next ? next.X : hidden.X, next ? 1 : 0);
    });
    Quick.multiply(hidden);
    hidden.Y.forEach((y, i) => { last.X[i] = Math.max(y, 0); });
    Quick.multiply(last);
    return Float32Array.from(last.Y);
  }

  // Whether what `predict` has seen is at all like the images of a class. If
  // the hidden units of each class were normally distributed, how far below
  // the density's logarithm would they be, of the class that makes them the
  // most likely? (Twice that, without a constant.) The limit, and how often
  // it is wrong, are from scripts/measure_unknown.py
  knows() {
    const H = this.dense[1].X;
    let least = Infinity;
    for (let k = 0; k < this.means.length; k += H.length) {
      let surprise = 0;
      for (let i = 0; i < H.length; i++) {
        const deviation = this.deviations[k + i];
        surprise += ((H[i] - this.means[k + i]) / deviation) ** 2
          + 2 * Math.log(deviation);
      }
      least = Math.min(least, surprise);
    }
    return least <= this.most;
  }

  // The rows (or columns) of the image on which row (or column) `i` of the
  // output of convolution `l` depends: the first and the last one
  receptiveField(l, i) {
    let first = i - 1, last = i + 1;
    for (const {pool} of this.convolutions.slice(0, l).reverse()) {
      if (pool) [first, last] = [2 * first, 2 * last + 1];
      first -= 1;
      last += 1;
    }
    return [Math.max(first, 0), Math.min(last, 27)];
  }

  // Write the output of a convolution, after ReLU and pooling, into the next
  // layer's input, within `border` zeros
  static reluAndPool({Y, numChannels, size, pool}, X, border) {
    const side = pool ? Math.floor(size / 2) : size;
    const padded = side + 2 * border;
    for (let c = 0; c < numChannels; c++) {
      for (let i = 0; i < side; i++) {
        let to = (c * padded + i + border) * padded + border;
        for (let j = 0; j < side; j++, to++) {
          if (pool) {
            const y = (c * size + 2 * i) * size + 2 * j;
            X[to] = Math.max(
              0, Y[y], Y[y + 1], Y[y + size], Y[y + size + 1]);
          } else {
            X[to] = Math.max(0, Y[(c * size + i) * size + j]);
          }
        }
      }
    }
  }

  // A fully connected layer
  static multiply({W, b, X, Y}) {
    for (let k = 0; k < Y.length; k++) {
      const row = k * X.length;
      let sum = b[k];
      for (let i = 0; i < X.length; i++) sum += W[row + i] * X[i];
      Y[k] = sum;
    }
  }

  static softmax(scores) {
    const most = Math.max(...scores);
    const powers = Array.from(scores, score => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map(power => power / sum);
  }

  // Base64 -> bytes
  static bytes(text) {
    return Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  }

  // Base64 of numbers of 16 bits -> Float32Array. Browsers of before 2025
  // have no Float16Array
  static floats(text) {
    const halves = new Uint16Array(Quick.bytes(text).buffer);
    return Float32Array.from(halves, half => {
      const sign = half >> 15 ? -1 : 1, fraction = (half & 1023) / 1024;
      const exponent = half >> 10 & 31;
      if (exponent === 0) return sign * 2 ** -14 * fraction;
      return sign * 2 ** (exponent - 15) * (1 + fraction);
    });
  }
}
