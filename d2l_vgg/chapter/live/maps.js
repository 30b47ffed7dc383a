// The feature maps after each convolution of `quick`, and how a number in
// them was made

class FeatureMaps {
  static detail = `
    <div class="framed">
      <canvas width="28" height="28" aria-hidden="true"></canvas>
      <i class="frame"></i>
    </div>
    <table><caption>input</caption><tbody class="input"></table>
    <table><caption>weights</caption><tbody class="weights"></table>
    <p><span class="where" role="status"></span>
      <span class="sum"></span></p>`;

  // `layers` and `detail` are boxes to be filled
  constructor(quick, layers, detail) {
    this.quick = quick;
    this.layers = layers;
    detail.innerHTML = FeatureMaps.detail;
    this.detail = detail;
    this.image = detail.querySelector('canvas');
    this.pointed = null;  // {l, channel, i, j}: layer, channel, row, column
    this.maps = quick.convolutions.map((layer, l) => this.add(layer, l));
  }

  // Add the maps of convolution `l`, side by side on one canvas
  add({name, numChannels, size, pool}, l) {
    const box = document.createElement('div');
    box.innerHTML = `<p>${name}: ${numChannels} maps of
      ${size} × ${size}${pool ? ', then pooling' : ''}</p>
      <div class="framed"><canvas tabindex="0" role="application"
        aria-label="The maps of ${name}" aria-describedby="map-keys"></canvas>
        <i class="frame" hidden></i></div>`;
    this.layers.append(box);
    const maps = box.querySelector('canvas');
    const point = event => this.point(
      l, ...Pixels.under(event, maps).map(Math.floor));
    maps.addEventListener('pointermove', point);
    maps.addEventListener('pointerdown', point);
    maps.addEventListener('focus', () => {
      if (this.pointed?.l !== l) this.point(l, 0, 0);
    });
    maps.addEventListener('keydown', event => this.pointByKey(event, l));
    return maps;
  }

  // Choose how many maps stand in a row, and how large their numbers are
  layOut(width) {
    this.maps.forEach((maps, l) => {
      const {numChannels, size} = this.quick.convolutions[l];
      const columns = width < 400 || size === 28 ? 8 : 16;
      // Between two maps is room for a number
      maps.width = columns * (size + 1) - 1;
      maps.height = numChannels / columns * (size + 1) - 1;
      // As many whole pixels of the screen as there is room for
      const scale = Math.floor(width * devicePixelRatio / maps.width) || 1;
      maps.style.width = `${scale * maps.width / devicePixelRatio}px`;
    });
  }

  // Where the map of a channel begins on the canvas of its layer
  corner(l, channel) {
    const step = this.quick.convolutions[l].size + 1;
    const columns = (this.maps[l].width + 1) / step;
    return [channel % columns * step, Math.floor(channel / columns) * step];
  }

  // Show what `quick` has computed of an image of these pixels
  show(pixels) {
    this.quick.convolutions.forEach(({Y, numChannels, size}, l) => {
      const {width, height} = this.maps[l];
      const inks = new Float32Array(width * height).fill(NaN);
      // The largest number of the layer is black, and what ReLU has cut white
      const most = Y.reduce((a, b) => Math.max(a, b), 1e-9);
      for (let c = 0, y = 0; c < numChannels; c++) {
        const [left, top] = this.corner(l, c);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++, y++) {
            inks[(top + i) * width + left + j] = Math.max(Y[y], 0) / most;
          }
        }
      }
      Pixels.paint(this.maps[l], inks);
    });
    Pixels.paint(this.image, pixels.map(pixel => pixel / 255));
    if (this.pointed) this.explain('off');
  }

  // Point at a place of the canvas of convolution `l`
  point(l, x, y) {
    const step = this.quick.convolutions[l].size + 1;
    const {width, height} = this.maps[l];
    x = Math.min(Math.max(x, 0), width - 1);
    y = Math.min(Math.max(y, 0), height - 1);
    const row = Math.floor(y / step), column = Math.floor(x / step);
    this.pointed = {
      l,
      channel: row * (width + 1) / step + column,
      i: Math.min(y % step, step - 2),
      j: Math.min(x % step, step - 2),
    };
    this.explain('polite');
  }

  pointByKey(event, l) {
    const move = Pixels.arrows[event.key];
    if (!move) return;
    event.preventDefault();  // It would move the page
    const {channel, i, j} = this.pointed;
    const [left, top] = this.corner(l, channel);
    const step = this.quick.convolutions[l].size + 1;
    const length = event.shiftKey ? step : 1;
    let x = left + j + length * move[0], y = top + i + length * move[1];
    // Between two maps is nothing
    if (x % step === step - 1) x += move[0];
    if (y % step === step - 1) y += move[1];
    this.point(l, x, y);
  }

  // Show which part of the image the pointed place sees, and the numbers of
  // one input channel that made it. A reader of the screen is to say so
  // ('polite') where the place is another one, and not where the image is
  explain(aloud) {
    const {l, channel, i, j} = this.pointed;
    const {name, Y, size, inChannels} = this.quick.convolutions[l];
    this.layers.querySelectorAll('.frame').forEach(frame => {
      frame.hidden = true;
    });
    const [left, top] = this.corner(l, channel);
    Pixels.frame(this.maps[l], left + j, top + i, 1, 1);
    const [firstRow, lastRow] = this.quick.receptiveField(l, i);
    const [first, last] = this.quick.receptiveField(l, j);
    Pixels.frame(this.image, first, firstRow,
      last - first + 1, lastRow - firstRow + 1);
    this.detail.hidden = false;
    const where = this.detail.querySelector('.where');
    where.setAttribute('aria-live', aloud);
    where.textContent = `${name}, map ${channel + 1}, row ${i + 1}, column `
      + `${j + 1} sees rows ${firstRow + 1} to ${lastRow + 1} and columns `
      + `${first + 1} to ${last + 1} of the image.`;
    const {c, input, weights, sum} = this.largestPart();
    this.fill('.input', input);
    this.fill('.weights', weights);
    const y = Y[(channel * size + i) * size + j];
    const part = inChannels === 1 ? 'Input times weights, summed'
      : `Input channel ${c + 1} of ${inChannels} counts most`;
    const others = inChannels === 1 ? 'the bias' : 'the others and the bias';
    this.detail.querySelector('.sum').textContent =
      `${part}: ${sum.toFixed(2)}. With ${others} it is ${y.toFixed(2)}`
      + `${y < 0 ? ', of which ReLU makes 0' : ''}.`;
  }

  // Of the input channels, the one that counts most in the pointed number, be
  // it positive or negative: 3 x 3 numbers, their weights, and the sum of
  // their products
  largestPart() {
    const {l, channel, i, j} = this.pointed;
    const {X, W, size, inChannels} = this.quick.convolutions[l];
    const padded = size + 2;
    let most = null;
    for (let c = 0; c < inChannels; c++) {
      const input = [0, 1, 2].flatMap(row => {
        const x = (c * padded + i + row) * padded + j;
        return Array.from(X.subarray(x, x + 3));
      });
      const w = 9 * (channel * inChannels + c);
      const weights = Array.from(W.subarray(w, w + 9));
      const sum = input.reduce((sum, x, k) => sum + x * weights[k], 0);
      if (!most || Math.abs(sum) > Math.abs(most.sum)) {
        most = {c, input, weights, sum};
      }
    }
    return most;
  }

  fill(selector, numbers) {
    const rows = [0, 3, 6].map(k => {
      const cells = numbers.slice(k, k + 3).map(x => `<td>${x.toFixed(2)}`);
      return `<tr>${cells.join('')}`;
    });
    this.detail.querySelector(selector).innerHTML = rows.join('');
  }
}
