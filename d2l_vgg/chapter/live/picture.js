// A reader's own picture, made such as Fashion-MNIST's are: trimmed, shrunk
// to 28 pixels, centred, grey, on a dark ground. `d2l-vgg predict` takes the
// same steps (d2l_vgg/datasets/pictures.py)

class OwnPicture {
  // A pixel is ground if it is this near to the ground's own grey
  static near = 0.05 * 255;

  // The emptiest image of Fashion-MNIST has 38 pixels that are not ground
  static isEmpty(pixels, ground = 0) {
    return pixels.filter(
      level => Math.abs(level - ground) > OwnPicture.near).length < 38;
  }

  // Return the 784 pixels, from 0 to 255, of the picture in a file. Throws an
  // Error, whose message is a sentence, where there is nothing to see
  static async read(file) {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch (error) {
      throw Error(`${file.name} is no picture that this browser can read.`);
    }
    const {width, height} = picture;
    // Shrunk in two steps, so that neither of them leaves out pixels
    const side = Math.min(Math.max(width, height), 448);
    const large = OwnPicture.drawn(picture, [0, 0, width, height], side);
    const grey = OwnPicture.greyLevels(large);
    const ground = OwnPicture.groundOf(grey, large.canvas.width);
    const pixels = width === 28 && height === 28 && ground <= OwnPicture.near
      ? grey : OwnPicture.centred(large, grey, ground);
    if (OwnPicture.isEmpty(pixels)) {
      throw Error(`Too little is left to see in ${file.name}: take a picture `
        + 'of a larger thing, not as light as its ground.');
    }
    return pixels;
  }

  // Trim a picture, shrink and centre it
  static centred({canvas}, grey, ground) {
    const pixels = new Float32Array(784);
    if (OwnPicture.isEmpty(grey, ground)) return pixels;
    const box = OwnPicture.boxOfThing(grey, canvas.width, ground);
    const small = OwnPicture.drawn(canvas, box, 28);
    const top = Math.floor((28 - small.canvas.height) / 2);
    const left = Math.floor((28 - small.canvas.width) / 2);
    // A light ground becomes 0, and black 255
    const range = ground > 127 ? -ground : 255 - ground;
    OwnPicture.greyLevels(small).forEach((level, i) => {
      const row = top + Math.floor(i / small.canvas.width);
      const column = left + i % small.canvas.width;
      const share = Math.max(0, (level - ground) / range);
      pixels[28 * row + column] = Math.round(255 * share);
    });
    return pixels;
  }

  // Draw a part of a picture, on white where it is transparent, with the
  // longer side of `side` pixels
  static drawn(picture, [left, top, width, height], side) {
    const scale = side / Math.max(width, height);
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext('2d', {willReadFrequently: true});
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, left, top, width, height,
      0, 0, canvas.width, canvas.height);
    return context;
  }

  static greyLevels(context) {
    const {width, height} = context.canvas;
    const {data} = context.getImageData(0, 0, width, height);
    const grey = new Float32Array(width * height);
    for (let i = 0; i < grey.length; i++) {
      const red = data[4 * i], green = data[4 * i + 1];
      grey[i] = Math.round(
        0.299 * red + 0.587 * green + 0.114 * data[4 * i + 2]);
    }
    return grey;
  }

  // The grey level of the ground: the median of the border
  static groundOf(grey, width) {
    const below = grey.length - width;
    const border = grey.filter((_, i) => i < width || i >= below
      || i % width === 0 || i % width === width - 1).sort();
    return border[Math.floor(border.length / 2)];
  }

  // Left, top, width and height of what is no ground
  static boxOfThing(grey, width, ground) {
    let left = width, top = Infinity, right = -1, bottom = -1;
    grey.forEach((level, i) => {
      if (Math.abs(level - ground) <= OwnPicture.near) return;
      const row = Math.floor(i / width), column = i % width;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row);
    });
    return [left, top, right - left + 1, bottom - top + 1];
  }
}
