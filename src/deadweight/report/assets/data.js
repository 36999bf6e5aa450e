'use strict';
// Reads the pack that treemap.py wrote: columns of numbers and lists of names.

const CONTENT = 0, NAME = 1, ENTRIES = 2;
const UNPACKED = 0, WIRE = 1;

async function inflate(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function readPack(bytes) {
  const decoder = new TextDecoder();
  let at = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const pack = JSON.parse(decoder.decode(bytes.subarray(4, at)));
  for (const [name, length, planes] of pack.columns) {
    const column = planes > 4 ? new Float64Array(length) : new Uint32Array(length);
    for (let plane = 0, weight = 1; plane < planes; plane++, weight *= 256) {
      for (let i = 0; i < length; i++) column[i] += bytes[at++] * weight;
    }
    pack[name] = column;
  }
  for (const [name, length] of pack.texts) {
    pack[name] = decoder.decode(bytes.subarray(at, at + length)).split('\n');
    pack[name].pop();
    at += length;
  }
  return new Cells(pack);
}

/** The cells of the treemap, by number. */
class Cells {
  constructor(pack) {
    this.count = pack.name.length;
    this.categories = pack.categories;
    this.layers = pack.layers;
    this.owners = pack.owners;
    this.sets = pack.sets;
    this.name = pack.name;
    this.directory = pack.directory;
    this.directoryName = pack.directoryName;
    this.parent = pack.parent;
    this.layer = pack.layer;
    this.kind = pack.kind;
    this.sizes = [pack.unpacked, pack.wire];
    this.category = pack.category;
    this.owner = pack.owner;
    this.set = pack.set;
    this.words = pack.words;
    this.notes = pack.notes;
    this.note = pack.note ?? new Uint32Array(this.count);
    this.wireKnown = pack.layers.every(layer => layer.wire);
    this.parts = new Map();
    for (let i = 0; i < pack.parts.length; i += 3) {
      const [cell, category, size] = pack.parts.slice(i, i + 3);
      if (!this.parts.has(cell)) this.parts.set(cell, new Map());
      this.parts.get(cell).set(category, size);
    }
  }

  /** A directory's path with a leading slash and without one at its end; the root's is empty. */
  directoryPath(directory) {
    const names = [];
    for (; directory; directory = this.parent[directory]) names.push(this.directoryName[directory]);
    return names.length ? '/' + names.reverse().join('/') : '';
  }

  path(cell) {
    if (this.kind[cell] === ENTRIES) return `directories, links and whiteouts of layer ${this.layer[cell] + 1}`;
    return `${this.directoryPath(this.directory[cell])}/${this.name[cell]}`;
  }

  label(cell) {
    return this.kind[cell] === ENTRIES ? 'directories, links' : this.name[cell];
  }

  /** All paths in lower case, made once. */
  get folded() {
    if (!this.foldedPaths) {
      const directories = [];
      this.foldedPaths = this.name.map((name, cell) => {
        const number = this.directory[cell];
        const directory = directories[number] ??= this.directoryPath(number).toLowerCase();
        return this.kind[cell] === ENTRIES ? '' : `${directory}/${name.toLowerCase()}`;
      });
    }
    return this.foldedPaths;
  }

  hue(category) {
    return this.categories[category].hue;
  }

  /** The categories that lie over a cell, besides its colour. */
  marks(cell) {
    return this.sets[this.set[cell]];
  }

  /** By category the bytes that it lies over; what is left of a cell that is coloured for a part of it is live. */
  sums(unit) {
    const sums = new Float64Array(this.categories.length);
    for (let cell = 0; cell < this.count; cell++) {
      const own = this.category[cell], marks = this.marks(cell);
      for (const category of marks.includes(own) ? marks : [own, ...marks]) {
        sums[category] += this.sizes[unit][cell] * this.fraction(cell, category);
      }
      sums[0] += this.sizes[unit][cell] * (1 - this.fraction(cell, own));
    }
    return sums;
  }

  /** Whether `category` lies over the cell: as its colour or as a mark. */
  has(cell, category) {
    return this.category[cell] === category && this.kind[cell] !== NAME || this.marks(cell).includes(category);
  }

  /** The part of the cell, from 0 to 1, that `category` lies over. */
  fraction(cell, category) {
    const part = this.parts.get(cell)?.get(category);
    return part === undefined ? 1 : Math.min(1, part / Math.max(1, this.sizes[UNPACKED][cell]));
  }
}

/** As units.py writes sizes and shares. */
function sizeText(size) {
  for (const [step, unit] of [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']]) {
    if (size >= step * 0.9995) return `${(size / step).toFixed(size / step >= 99.95 ? 0 : 1)} ${unit}`;
  }
  return `${Math.round(size)} B`;
}

function percentText(part, whole) {
  const percent = whole ? 100 * part / whole : 0;
  return `${percent.toFixed(percent < 9.95 ? 1 : 0)} %`;
}

const grouped = new Intl.NumberFormat('en');

function numberText(number) {
  return grouped.format(number);
}

function countText(number, noun) {
  return `${numberText(number)} ${noun}${number === 1 ? '' : noun.endsWith('ch') ? 'es' : 's'}`;
}
