// A chart of `names`, each a line with a class of its style: returns what
// draws them, from points of epoch and value, for `maxEpochs` and up to `top`
function addChart(box, title, top, names) {
  const width = 300, height = 200;
  const left = 30, right = 8, above = 42, below = 36;
  const add = (parent, tag, attributes, text = '') => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    Object.entries(attributes).forEach(a => made.setAttribute(...a));
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const chart = add(box, 'svg', {
    viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title});
  const ground = {x: left, y: above, width: width - left - right,
    height: height - above - below};
  add(chart, 'text', {x: left, y: 14, class: 'title'}, title);
  let x = left;
  Object.entries(names).forEach(([name, words]) => {
    add(chart, 'line', {x1: x, x2: x + 18, y1: 29, y2: 29, class: name});
    add(chart, 'text', {x: x + 22, y: 33, class: name}, words);
    x += 34 + 6.5 * words.length;
  });
  [0, top / 2, top].forEach(value => {
    const y = above + ground.height * (1 - value / top);
    add(chart, 'text', {x: left - 5, y: y + 4, 'text-anchor': 'end'}, value);
    add(chart, 'line', {x1: left, x2: width - right, y1: y, y2: y,
      class: 'grid'});
  });
  add(chart, 'text', {x: left + ground.width / 2, y: height - 4,
    'text-anchor': 'middle'}, 'epoch');
  const axis = add(chart, 'g', {});
  // What leaves it is not drawn: a loss that grows runs out at the top
  const plot = add(chart, 'svg', {...ground, preserveAspectRatio: 'none'});
  const lines = {};
  Object.keys(names).reverse().forEach(name => {  // The first is on top
    lines[name] = add(plot, 'polyline', {class: name, points: ''});
  });
  return (maxEpochs, points) => {
    plot.setAttribute('viewBox', `0 0 ${maxEpochs} ${top}`);
    axis.replaceChildren();
    [0, maxEpochs].forEach(epoch => add(axis, 'text', {
      x: left + ground.width * epoch / maxEpochs, y: height - below + 16,
      'text-anchor': epoch ? 'end' : 'start'}, epoch));
    const ends = [];
    Object.entries(points).forEach(([name, all]) => {
      const values = all.filter(([, value]) => isFinite(value));
      lines[name].setAttribute('points', values.map(
        ([epoch, value]) => `${epoch},${top - value}`).join(' '));
      if (values.length) {
        ends.push(`${names[name]} ${values.at(-1)[1].toFixed(2)}`);
      }
    });
    chart.setAttribute('aria-label', `${title}: ${ends.join(', ')}`);
  };
}
