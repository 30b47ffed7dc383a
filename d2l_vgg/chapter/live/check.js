// A field for a reader's number: whether it is right, or what it counts. The
// numbers are in `exercises.js`, which the builder writes

live.check = async (tool, box) => {
  await load('exercises');
  const name = box.dataset.exercise;
  const exercise = live.exercises[name];
  const form = document.createElement('form');
  const label = document.createElement('label');
  const field = document.createElement('input');
  const button = document.createElement('button');
  const said = document.createElement('output');
  Object.assign(field, {inputMode: 'decimal', autocomplete: 'off'});
  label.append(name, field);
  button.textContent = 'Check';
  form.append(label, button, said);
  form.addEventListener('submit', event => {
    event.preventDefault();
    said.textContent = answer(exercise, field.value.replace(/[\s,_]/g, ''));
  });
  tool.append(form);
};

function answer({least, most, known}, text) {
  const number = Number(text);
  if (!text || !Number.isFinite(number)) return 'Write a number.';
  if (least <= number && number <= most) return 'Right.';
  const size = number < least ? 'small' : 'large';
  return `Not yet: ${known[Math.round(number)] || `that is too ${size}`}.`;
}
