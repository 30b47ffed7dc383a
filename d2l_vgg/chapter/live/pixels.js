// What the parts of the live network share: small pictures whose pixels can
// be seen, and pointed at by keys

class Pixels {
  // Fill a canvas with inks from 0, white paper, to 1; NaN is no paper
  static paint(canvas, inks) {
    const context = canvas.getContext('2d');
    const image = context.createImageData(canvas.width, canvas.height);
    inks.forEach((ink, i) => {
      image.data.fill(255 - 255 * ink, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = Number.isNaN(ink) ? 0 : 255;
    });
    context.putImageData(image, 0, 0);
  }

  // Lay the frame that follows a canvas around some of its pixels
  static frame(canvas, left, top, width, height) {
    const frame = canvas.nextElementSibling;
    frame.hidden = false;
    Object.assign(frame.style, {
      left: `${100 * left / canvas.width}%`,
      top: `${100 * top / canvas.height}%`,
      width: `${100 * width / canvas.width}%`,
      height: `${100 * height / canvas.height}%`,
    });
  }

  // The pixel under a pointer, its column and row, with fractions
  static under({clientX, clientY}, canvas) {
    const {left, top, width, height} = canvas.getBoundingClientRect();
    return [(clientX - left) / width * canvas.width,
      (clientY - top) / height * canvas.height];
  }

  // Columns and rows that an arrow key moves by
  static arrows = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
}
