// A field for a reader's number: whether it is right, or what it counts. The
// numbers are in `exercises.js`, which the builder writes

live.check = async (tool, box) => {
  await load('exercises');
  const name = box.dataset.exercise;
  const [least, most, others] = live.exercises[name];
  const form = document.createElement('form');
  const label = document.createElement('label');
  const field = document.createElement('input');
  const button = document.createElement('button');
  const said = document.createElement('output');
  Object.assign(field, {inputMode: 'decimal', autocomplete: 'off'});
  label.append(name, field);
  button.textContent = 'Check';
  form.append(label, button, said);

  function answer(text) {
    const number = Number(text);
    if (!text || !Number.isFinite(number)) return 'Write a number.';
    if (least <= number && number <= most) return 'Right.';
    const other = others[Math.round(number)];
    if (other) return `Not yet: that is right for ${other}.`;
    return `Not yet: too ${number < least ? 'small' : 'large'}.`;
  }

  form.addEventListener('submit', event => {
    event.preventDefault();
    // Commas between thousands; elsewhere they may be decimal points
    said.textContent = answer(field.value.replace(/[\s_]|,(?=\d{3})/g, ''));
  });
  tool.append(form);
};
