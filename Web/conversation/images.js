// Images that go with a prompt: read, made small enough, and shown until it is sent.
import { make } from './dom.js';

const TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const MOST = 20;
/** Bytes of base64 of all images of a prompt, as the API takes them. */
const MOST_BYTES = 5 << 20;
/** Above this an image is made smaller: models see no more than some 1568 pixels a side. */
const LARGE = 700 << 10;
const SIDE = 1568;

export class ImageTray {
  onChange = () => {};
  onProblem = () => {};

  #node;
  #images = [];

  constructor(node) {
    this.#node = node;
  }

  /** As the API takes them: `{media_type, data}`. */
  get images() {
    return this.#images.map(({ media_type, data }) => ({ media_type, data }));
  }

  set images(images) {
    this.#images = images.map((image) => ({ name: 'image', ...image }));
    this.#draw();
  }

  async add(files) {
    for (const file of files) {
      try {
        const image = await read(file);
        const bytes = this.#images.reduce((sum, { data }) => sum + data.length, image.data.length);
        if (this.#images.length >= MOST) throw new Error(`A message takes at most ${MOST} images.`);
        if (bytes > MOST_BYTES) throw new Error('These images are more than one message takes (5 MB together).');
        this.#images.push({ ...image, name: file.name || 'pasted image' });
      } catch (problem) {
        this.onProblem(problem.message);
      }
    }
    this.#draw();
  }

  clear() {
    this.#images = [];
    this.#draw();
  }

  #draw() {
    this.#node.hidden = this.#images.length === 0;
    this.#node.replaceChildren(...this.#images.map((image) => make('li', {},
      make('img', { src: address(image), alt: image.name }),
      make('button', {
        type: 'button', text: '×', 'aria-label': `Remove ${image.name}`,
        on: {
          click: () => {
            this.#images = this.#images.filter((other) => other !== image);
            this.#draw();
          },
        },
      }))));
    this.onChange();
  }
}

export function address({ media_type: type, data }) {
  return `data:${type};base64,${data}`;
}

async function read(file) {
  const known = TYPES.includes(file.type);
  if (known && file.size <= LARGE) return parts(await dataURL(file));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name || 'This'} is no image that can be sent: PNG, JPEG, GIF or WebP.`);
  }
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  if (known && scale === 1 && file.size <= 3 << 20) return parts(await dataURL(file));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const png = file.type === 'image/png' && canvas.toDataURL('image/png');
  return parts(png && png.length < 1 << 20 ? png : canvas.toDataURL('image/jpeg', 0.85));
}

function dataURL(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name || 'The image'} cannot be read.`));
    reader.readAsDataURL(file);
  });
}

function parts(url) {
  const [head, data] = url.split(',', 2);
  return { media_type: head.slice('data:'.length).split(';')[0], data };
}
