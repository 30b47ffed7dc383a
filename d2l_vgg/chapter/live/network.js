// A box in which the reader draws, and sees meanwhile what the network
// `quick` makes of it

class NetworkBox {
  static html = `
    <div class="images"></div>
    <div class="left">
      <div class="framed">
        <canvas class="paper" width="28" height="28" tabindex="0"
          role="application" aria-label="Paper of 28 by 28 pixels"
          aria-describedby="paper-keys"></canvas>
        <i class="frame"></i>
      </div>
      <div class="buttons">
        <button type="button" class="erase">Erase</button>
        <label>Brush <select class="brush">
          <option value="0.6">fine</option>
          <option value="1.3" selected>middle</option>
          <option value="3">broad</option>
        </select></label>
        <label>Ink <select class="ink">
          <option value="255">black</option>
          <option value="128">grey</option>
          <option value="0">rubber</option>
        </select></label>
        <span role="group" aria-label="Shift the picture">Shift
          <button type="button" aria-label="left">←</button>
          <button type="button" aria-label="up">↑</button>
          <button type="button" aria-label="down">↓</button>
          <button type="button" aria-label="right">→</button>
        </span>
        <label>Or a picture of yours, chosen or dropped here
          <input type="file" accept="image/*"></label>
      </div>
      <p id="paper-keys">Draw with the mouse, a finger or a pen, or by keys:
        arrows move, the space bar draws, an arrow with Shift draws a
        line. <span class="place" role="status"></span></p>
    </div>
    <div class="right">
      <label class="answerer" hidden>Answered by <select>
        <option value="quick">the trained network, quick</option>
        <option value="trained"></option>
      </select></label>
      <p class="sentence" role="status"></p>
      <ol class="bars" aria-label="How sure it is of each class"></ol>
      <div class="layers">
        <p id="map-keys">Point at a place of a map (or use the arrow keys
          there, with Shift for the next map): which part of the image does
          it see, and which numbers made it?</p>
      </div>
    </div>
    <div class="detail" hidden></div>`;

  constructor(tool, quick, {images, labels, indices, classes}) {
    tool.classList.add('network');
    tool.innerHTML = NetworkBox.html;
    this.find = selector => tool.querySelector(selector);
    this.quick = quick;
    this.classes = classes;
    this.maps = new FeatureMaps(
      quick, this.find('.layers'), this.find('.detail'));
    this.addImages(images, labels, indices);
    this.addPaper(this.find('.paper'));
    this.addButtons(tool);
    this.addBars();
    this.addAnswerer();
    this.maps.layOut(480);
    this.find('.sentence').textContent = this.show();
    let before = 0;  // A sentence that wraps changes the height alone
    new ResizeObserver(() => {
      const width = this.find('.right').clientWidth;
      if (width === before) return;
      before = width;
      this.maps.layOut(width);
      this.show();
    }).observe(tool);
  }

  // ---------------------------------------------------------- the picture

  addPaper(paper) {
    let before = null;
    paper.addEventListener('pointerdown', event => {
      if (event.button !== 0) return;
      paper.setPointerCapture(event.pointerId);
      before = Pixels.under(event, paper);
      this.draw(before, before);
    });
    paper.addEventListener('pointermove', event => {
      if (!before) return;
      // A fast hand makes several moves from one picture of the screen to
      // the next
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) {
        const place = Pixels.under(move, paper);
        this.draw(before, place);
        before = place;
      }
    });
    const lift = () => { before = null; };
    paper.addEventListener('pointerup', lift);
    paper.addEventListener('pointercancel', lift);
    this.cursor = [14, 14];  // Column and row
    Pixels.frame(paper, ...this.cursor, 1, 1);
    paper.addEventListener('keydown', event => this.drawByKey(event, paper));
  }

  drawByKey(event, paper) {
    const move = Pixels.arrows[event.key], before = this.cursor;
    if (event.key !== ' ' && !move) return;
    event.preventDefault();  // It would move the page
    if (move) {
      this.cursor = before.map(
        (at, axis) => Math.min(Math.max(at + move[axis], 0), 27));
      Pixels.frame(paper, ...this.cursor, 1, 1);
      const [column, row] = this.cursor;
      this.find('.place').textContent =
        `Row ${row + 1}, column ${column + 1}.`;
    }
    if (!move || event.shiftKey) {
      const middle = ([column, row]) => [column + 0.5, row + 0.5];
      this.draw(middle(before), middle(this.cursor));
    }
  }

  // Draw a line from one place to another: many round dabs
  draw([fromX, fromY], [toX, toY]) {
    const radius = Number(this.find('.brush').value);
    const ink = Number(this.find('.ink').value);
    const pixels = this.pixels.slice();
    const steps = Math.ceil(2 * Math.hypot(toX - fromX, toY - fromY)) || 1;
    for (let step = 0; step <= steps; step++) {
      const x = fromX + (toX - fromX) * step / steps - 0.5;
      const y = fromY + (toY - fromY) * step / steps - 0.5;
      pixels.forEach((pixel, at) => {
        const distance = Math.hypot(at % 28 - x, Math.floor(at / 28) - y);
        // A dab covers a part only of the pixels at its edge
        const share = Math.min(Math.max(radius + 0.5 - distance, 0), 1);
        pixels[at] = pixel + share * (ink - pixel);
      });
    }
    this.change(pixels);
  }

  shift(right, down) {
    this.change(this.pixels.map((_, at) => {
      const column = at % 28 - right, row = Math.floor(at / 28) - down;
      const inside = Math.min(row, column) >= 0 && Math.max(row, column) < 28;
      return inside ? this.pixels[28 * row + column] : 0;
    }));
  }

  addButtons(tool) {
    this.find('.erase').addEventListener(
      'click', () => this.change(new Float32Array(784)));
    const moves = {left: [-1, 0], up: [0, -1], down: [0, 1], right: [1, 0]};
    Object.entries(moves).forEach(([name, move]) => {
      this.find(`[aria-label="${name}"]`).addEventListener(
        'click', () => this.shift(...move));
    });
    const file = this.find('[type="file"]');
    file.addEventListener('change', () => this.open(file.files[0]));
    tool.addEventListener('dragover', event => event.preventDefault());
    tool.addEventListener('drop', event => {
      event.preventDefault();
      this.open(event.dataTransfer.files[0]);
    });
  }

  async open(file) {
    if (!file) return;
    try {
      this.change(await OwnPicture.read(file));
    } catch (error) {
      this.say(error.message);
    }
  }

  // A button for each validation image, those that are taken for something
  // else in a group of their own
  addImages(images, labels, indices) {
    const [right, wrong] = ['right', 'wrong'].map(word => {
      const group = document.createElement('div');
      group.setAttribute('role', 'group');
      group.setAttribute('aria-labelledby', `gets-${word}`);
      group.innerHTML = `<p id="gets-${word}">Validation images that it gets
        ${word}</p>`;
      this.find('.images').append(group);
      return group;
    });
    labels.forEach((label, i) => {
      const bytes = images.subarray(784 * i, 784 * (i + 1));
      const pixels = Float32Array.from(bytes);
      const scores = this.quick.predict(pixels);
      const predicted = scores.indexOf(Math.max(...scores));
      const taken = predicted === label ? ''
        : `, taken for ${this.classes[predicted]}`;
      const button = document.createElement('button');
      button.type = 'button';
      button.title = `Image ${indices[i]}: ${this.classes[label]}${taken}`;
      button.innerHTML = '<canvas width="28" height="28"></canvas>';
      Pixels.paint(button.firstChild, pixels.map(pixel => pixel / 255));
      button.addEventListener('click', () => this.change(pixels, label));
      (taken ? wrong : right).append(button);
      if (i === 0) Object.assign(this, {pixels, label});
    });
  }

  // ----------------------------------------------------------- the answer

  // Show another picture; `label` is that of a validation image
  change(pixels, label = null) {
    Object.assign(this, {pixels, label});
    // However many moves there are, once for each picture of the screen
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.say(this.show(), 500);
    });
  }

  // Show what there is to be seen; return it in a sentence
  show() {
    Pixels.paint(this.find('.paper'), this.pixels.map(p => p / 255));
    const trained = this.find('.answerer select').value === 'trained';
    const network = trained ? live.trained : this.quick;
    const shares = Quick.softmax(network.predict(this.pixels));
    const known = !OwnPicture.isEmpty(this.pixels)
      && (trained || this.quick.knows());
    [...this.find('.bars').children].forEach((bar, k) => {
      const percent = `${Math.round(100 * shares[k])}%`;
      bar.querySelector('.share').style.width = percent;
      bar.querySelector('.percent').textContent = percent;
    });
    this.find('.bars').classList.toggle('doubted', !known);
    this.find('.layers').hidden = trained;
    this.find('.detail').hidden = trained || !this.maps.pointed;
    if (!trained) this.maps.show(this.pixels);
    return this.sentence(shares, known);
  }

  sentence(shares, known) {
    const guesses = this.classes
      .map((name, k) => ({name, share: Math.round(100 * shares[k])}))
      .sort((a, b) => b.share - a.share)
      .filter(({share}, rank) => rank < 3 && share > 0)
      .map(({name, share}) => `${name} ${share}%`);
    const label = this.label === null ? ''
      : ` The label is ${this.classes[this.label]}.`;
    if (known) return `It sees: ${guesses.join(', ')}.${label}`;
    return 'This is nothing it knows. If it has to be one of the ten: '
      + `${guesses[0]}.${label}`;
  }

  // A reader of the screen says what is written here; so not at each move,
  // but when the hand rests for so many milliseconds
  say(sentence, pause = 0) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const words = this.find('.sentence');
      if (words.textContent !== sentence) words.textContent = sentence;
    }, pause);
  }

  addBars() {
    this.find('.bars').innerHTML = this.classes.map(name => `
      <li><span>${name}</span> <span class="bar"><span class="share"></span
        ></span> <span class="percent"></span></li>`).join('');
  }

  // A network that the reader has trained in the page (training.js)
  addAnswerer() {
    const answerer = this.find('.answerer');
    const offer = () => {
      if (!live.trained) return;
      answerer.hidden = false;
      this.find('[value="trained"]').textContent = live.trained.name;
      this.change(this.pixels, this.label);
    };
    answerer.addEventListener('change', offer);
    document.addEventListener('live-trained', offer);
    offer();
  }
}

live.network = async tool => {
  await Promise.all(['convolution', 'forward', 'known', 'maps', 'picture',
    'pixels', 'quick'].map(load));
  const {weights, images, ...rest} = live.quickData;
  live.quick = new Quick(Quick.floats(weights), live.known);
  new NetworkBox(tool, live.quick, {images: Quick.bytes(images), ...rest});
};
