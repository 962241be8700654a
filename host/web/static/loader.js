// Loads pictures, one at a time for each place: what came meanwhile and is old by then is never asked for.

export function address(camera, number, revision) {
  return `/cam/${camera}/${number}/rev/${revision}.webp`;
}

export class Loader {
  constructor(image) {
    this.image = image;
    this.wanted = null;
    this.busy = false;
  }

  want(source, onShown) {
    this.wanted = { source, onShown };
    if (!this.busy) {
      this.next();
    }
  }

  async next() {
    this.busy = true;
    while (this.wanted) {
      const { source, onShown } = this.wanted;
      this.wanted = null;
      const loading = new Image();
      loading.src = source;
      try {
        await loading.decode();
        this.image.src = source;
        if (onShown) {
          onShown();
        }
      } catch {
        // The picture is gone, or the server is: the next one follows.
      }
    }
    this.busy = false;
  }
}

// One queue for all small pictures, so that they never keep the large ones waiting.
const queue = [];
let working = false;

export function loadSmall(image, source) {
  queue.push({ image, source });
  if (!working) {
    work();
  }
}

async function work() {
  working = true;
  while (queue.length > 0) {
    const { image, source } = queue.shift();
    if (image.isConnected) {
      image.src = source;
      try {
        await image.decode();
      } catch {
        // As above.
      }
    }
  }
  working = false;
}
