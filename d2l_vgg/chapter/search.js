// The search: sections that hold all words of the query, first those that have
// them in their titles or side by side, and what stands around them
const query = new URLSearchParams(location.search).get('q') || '';
const words = query.toLowerCase().split(/\s+/).filter(word => word);
document.querySelector('input[name="q"]').value = query;

// What stands around the words, with each marked
function excerpt(text) {
  const low = text.toLowerCase();
  const places = [words.join(' '), ...words].map(word => low.indexOf(word));
  const first = places.find(place => place >= 0) ?? 0;
  const begin = first < 80 ? 0 : text.indexOf(' ', first - 80) + 1;
  const end = begin + 220 < text.length
    ? text.lastIndexOf(' ', begin + 220) : text.length;
  const box = document.createElement('p');
  const any = words.map(word => word.replace(/[^\w\s]/g, '\\$&')).join('|');
  const shown = text.slice(begin, end).split(new RegExp(`(${any})`, 'i'));
  box.append(begin ? '… ' : '', ...shown.map((part, i) => {
    if (i % 2 === 0) return part;
    const mark = document.createElement('mark');
    mark.textContent = part;
    return mark;
  }), end < text.length ? ' …' : '');
  return box;
}

const found = sections.map(([address, title, text]) => {
  const has = (where, word) => where.toLowerCase().includes(word);
  return {address, title, text,
    all: words.every(word => has(`${title} ${text}`, word)),
    score: words.filter(word => has(title, word)).length
      + has(text, words.join(' '))};
}).filter(section => words.length && section.all);
found.sort((a, b) => b.score - a.score);
for (const {address, title, text} of found) {
  const link = document.createElement('a');
  link.href = address;
  link.textContent = title;
  const item = document.createElement('li');
  item.append(link, excerpt(text));
  document.getElementById('found').append(item);
}
document.getElementById('told').textContent = !words.length
  ? 'Write words into the field above: sections that have all of them are '
    + 'listed.'
  : `${found.length} ${found.length === 1 ? 'section has' : 'sections have'} `
    + `${words.length > 1 ? 'all words of ' : ''}“${query}”.`;
