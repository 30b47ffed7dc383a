// A 3 x 3 convolution with padding 1, which the live parts of the page share.
// It is a text, too, from which a worker is made: it uses nothing around it

// `X`: channels of `size` x `size` numbers within a border of zeros, so of
// (size + 2) x (size + 2). `W`: numChannels x inChannels x 3 x 3, `b`: one
// number a channel. `Y`: numChannels x size x size. numChannels is a multiple
// of 4, since four channels are computed at once
function convolve(X, W, b, Y, inChannels, numChannels, size) {
  const padded = size + 2, area = size * size, filter = 9 * inChannels;
  for (let k = 0; k < numChannels; k += 4) {
    const y0 = k * area, y1 = y0 + area, y2 = y1 + area, y3 = y2 + area;
    for (let j = 0; j < area; j++) {
      Y[y0 + j] = b[k];
      Y[y1 + j] = b[k + 1];
      Y[y2 + j] = b[k + 2];
      Y[y3 + j] = b[k + 3];
    }
    for (let c = 0; c < inChannels; c++) {
      for (let i = 0; i < 3; i++) {  // The rows of the filters
        let w = k * filter + 9 * c + 3 * i;
        const p0 = W[w], p1 = W[w + 1], p2 = W[w + 2];
        w += filter;
        const q0 = W[w], q1 = W[w + 1], q2 = W[w + 2];
        w += filter;
        const r0 = W[w], r1 = W[w + 1], r2 = W[w + 2];
        w += filter;
        const s0 = W[w], s1 = W[w + 1], s2 = W[w + 2];
        for (let row = 0, j = 0; row < size; row++) {
          let x = c * padded * padded + (row + i) * padded;
          let left = X[x], middle = X[x + 1];
          for (x += 2; j < (row + 1) * size; x++, j++) {
            const right = X[x];
            Y[y0 + j] += p0 * left + p1 * middle + p2 * right;
            Y[y1 + j] += q0 * left + q1 * middle + q2 * right;
            Y[y2 + j] += r0 * left + r1 * middle + r2 * right;
            Y[y3 + j] += s0 * left + s1 * middle + s2 * right;
            left = middle;
            middle = right;
          }
        }
      }
    }
  }
}
