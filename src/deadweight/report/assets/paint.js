// Draws boxes on a canvas. The cells lie on one canvas, what moves (pointer, cursor) on another above it.

const PATTERNS = {
  rising: 'M-2 2L2 -2M-2 10L10 -2M6 10L10 6',
  falling: 'M-2 -2L10 10M-2 6L2 10M6 -2L10 2',
  crossed: 'M0 0L8 8M8 0L0 8',
  dotted: 'M2 2h.01M6 6h.01',
  level: 'M0 2H8M0 6H8',
  upright: 'M2 0V8M6 0V8',
};
const HUES = 9;

/** The colours and patterns of the page's theme, as canvases want them. */
class Palette {
  constructor(context, categories, ratio) {
    const probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
    this.font = getComputedStyle(probe).fontFamily;
    const colour = name => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    this.hues = Array.from({ length: HUES }, (_, hue) => colour(`hue-${hue}`));
    this.ink = colour('ink-on-hue');
    this.liveInk = colour('ink-on-live');
    this.liveNote = colour('note-on-live');
    this.title = colour('title');
    this.ground = [colour('ground-1'), colour('ground-2'), colour('ground-3')];
    this.focus = colour('accent');
    this.halo = colour('surface');
    const line = colour('pattern');
    probe.remove();
    this.fills = categories.map(({ hue, pattern }) =>
      PATTERNS[pattern] ? patternFill(context, this.hues[hue], line, PATTERNS[pattern], ratio) : this.hues[hue]);
  }
}

function patternFill(context, colour, line, path, ratio) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = Math.round(8 * ratio);
  const draw = tile.getContext('2d');
  draw.scale(tile.width / 8, tile.height / 8);
  draw.fillStyle = colour;
  draw.fillRect(0, 0, 8, 8);
  draw.strokeStyle = line;
  draw.lineWidth = path.includes('h.01') ? 2 : 1.3;
  draw.lineCap = path.includes('h.01') ? 'round' : 'butt';
  draw.stroke(new Path2D(path));
  const pattern = context.createPattern(tile, 'repeat');
  pattern.setTransform(new DOMMatrix().scale(8 / tile.width));
  return pattern;
}

class Painter {
  constructor(holder, cells, describer) {
    this.holder = holder;
    this.cells = cells;
    this.describer = describer;
    [this.back, this.front] = holder.querySelectorAll('canvas');
    this.context = this.back.getContext('2d', { alpha: false });
    this.overlay = this.front.getContext('2d');
    this.resize();
  }

  resize() {
    const { clientWidth, clientHeight } = this.holder;
    this.ratio = Math.min(3, window.devicePixelRatio || 1);
    for (const canvas of [this.back, this.front]) {
      canvas.width = Math.round(clientWidth * this.ratio);
      canvas.height = Math.round(clientHeight * this.ratio);
    }
    this.width = clientWidth;
    this.height = clientHeight;
    this.palette = new Palette(this.context, this.cells.categories, this.ratio);
  }

  /** Draws `boxes`; `filter` says what to dim: {matches, category}, or null. */
  draw(boxes, unit, filter) {
    const { context, palette } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = palette.ground[0];
    context.fillRect(0, 0, this.width, this.height);
    context.textBaseline = 'middle';
    for (const box of boxes) {
      if (box.open) this.drawGroup(box);
      else this.drawCell(box, unit, filter);
    }
    context.globalAlpha = 1;
  }

  drawGroup(box) {
    const { context, palette } = this;
    context.globalAlpha = 1;
    context.fillStyle = palette.ground[1 + box.depth % 2];
    context.fillRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
    if (!box.titled) return;
    const { name, title } = box.item;
    const room = box.w - 12;
    const sizeRoom = room > 130 ? 62 : 0;
    context.fillStyle = palette.title;
    context.font = `600 11px ${palette.font}`;
    context.textAlign = 'left';
    context.fillText(fit(context, title ? `${name} · ${title}` : name, room - sizeRoom), box.x + 6, box.y + TITLE / 2 + 1);
    if (!sizeRoom) return;
    context.font = `11px ${palette.font}`;
    context.textAlign = 'right';
    context.fillText(sizeText(box.size), box.x + box.w - 6, box.y + TITLE / 2 + 1);
  }

  drawCell(box, unit, filter) {
    const { context, palette } = this;
    const inset = Math.min(box.w, box.h) > 6 ? 0.5 : 0.25;
    const x = box.x + inset, w = box.w - 2 * inset, h = box.h - 2 * inset;
    let bottom = box.y + inset + h;
    const shares = this.shares(box, unit, filter);
    const plain = Math.min(w, h) < 7;
    context.globalAlpha = filter && !shares.matched ? 0.28 : 1;
    if (!(shares[0]?.[1] >= 1 && this.cells.categories[shares[0][0]].hue)) {
      context.fillStyle = palette.hues[0];
      context.fillRect(x, bottom - h, w, h);
    }
    for (const [category, share] of shares) {
      const { hue } = this.cells.categories[category];
      if (!hue) continue;
      context.fillStyle = plain ? palette.hues[hue] : palette.fills[category];
      context.fillRect(x, bottom - h * share, w, h * share);
      bottom -= h * share;
    }
    if (w > 34 && h > 14) this.drawLabel(box, shares);
  }

  drawLabel(box, shares) {
    const { context, palette } = this;
    context.textAlign = 'left';
    context.font = `11px ${palette.font}`;
    const name = fit(context, this.describer.boxLabel(box), box.w - 10);
    if (!name) return;
    const size = box.h > 32 ? sizeText(box.size) : '';
    const lines = size && context.measureText(size).width <= box.w - 10 ? [name, size] : [name];
    const height = 2 + 14 * lines.length;
    // Colours stand at the bottom of a cell, its label at the top: where they meet, the label gets a plain ground.
    const coloured = shares.reduce((sum, [, share]) => sum + share, 0) * box.h;
    const category = shares.length === 1 && coloured > box.h - 1 ? this.cells.categories[shares[0][0]] : this.cells.categories[0];
    if (coloured > box.h - height - 2 && (shares.length > 1 || category.hue === 0 || category.pattern !== 'plain')) {
      context.fillStyle = palette.hues[category.hue];
      context.fillRect(box.x + 2, box.y + 2, Math.max(...lines.map(line => context.measureText(line).width)) + 6, height);
    }
    lines.forEach((line, i) => {
      context.fillStyle = category.hue ? palette.ink : i ? palette.liveNote : palette.liveInk;
      context.fillText(line, box.x + 5, box.y + 10 + 14 * i);
    });
  }

  /** What a box is coloured by: [category, share of it] with the widest first; `matched` says whether any matches. */
  shares(box, unit, filter) {
    const whole = box.size || 1;
    let shares, matched = true;
    if (filter && filter.category !== null) {
      const part = this.matchedSize(box, unit, filter.matches) / whole;
      matched = part > 0;
      shares = [[filter.category, part]];
    } else {
      if (filter) matched = this.matchedSize(box, unit, filter.matches) > 0;
      shares = this.categoryShares(box, unit, whole);
    }
    shares.matched = matched;
    return shares;
  }

  categoryShares(box, unit, whole) {
    const { cells } = this;
    if (!box.rest && !(box.item instanceof Group)) {
      const category = cells.category[box.item];
      return [[category, cells.fraction(box.item, category)]];
    }
    const sums = box.rest ? box.item.restSums(unit, cells, box.from) : box.item.byCategory[unit];
    return this.describer.flagged(sums).map(([category, size]) => [category, size / whole]);
  }

  matchedSize(box, unit, matches) {
    const { cells } = this;
    const matched = child => child instanceof Group ? child.matched[unit] : matches[child] * cells.sizes[unit][child];
    if (!box.rest) return matched(box.item);
    let sum = 0;
    const children = box.item.children(unit, cells);
    for (let i = box.from; i < children.length; i++) sum += matched(children[i]);
    return sum;
  }

  /** Draws the outlines of the box under the pointer and of the one with the cursor. */
  mark(pointed, cursor) {
    const { overlay, palette } = this;
    overlay.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    overlay.clearRect(0, 0, this.width, this.height);
    if (pointed) this.outline(pointed, palette.liveInk, 1.5, 0.75);
    if (cursor) {
      this.outline(cursor, palette.halo, 5, 2.5);
      this.outline(cursor, palette.focus, 3, 1.5);
    }
  }

  outline({ x, y, w, h }, colour, width, inset) {
    const { overlay } = this;
    overlay.strokeStyle = colour;
    overlay.lineWidth = width;
    overlay.strokeRect(x + inset, y + inset, Math.max(1, w - 2 * inset), Math.max(1, h - 2 * inset));
  }
}

/** `text`, cut to `width` pixels. */
function fit(context, text, width) {
  if (width < 10) return '';
  text = text.slice(0, 300);
  const full = context.measureText(text).width;
  if (full <= width) return text;
  let length = Math.floor(text.length * width / full);
  while (length > 0 && context.measureText(text.slice(0, length) + '…').width > width) length--;
  return length > 3 ? text.slice(0, length) + '…' : '';
}
