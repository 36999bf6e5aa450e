// Squarified treemap (Bruls, Huizing, van Wijk, 2000), of what can be seen only.

const TITLE = 19;          // height of a group's title
const GAP = 2;             // between a group's edge and what it holds
const LEAST_AREA = 30;     // square pixels; what is smaller is drawn as one cell together with all that is smaller still
const LEAST_SIDE = 12;     // a group that is narrower is drawn as one cell

/** One rectangle to draw: of a cell (a number), of a group, or of the `rest` of `item`, a group, from `from` on. */
class Box {
  constructor(item, x, y, w, h, depth, size) {
    this.item = item;
    this.x = x;
    this.y = y;
    this.w = w;
    this.h = h;
    this.depth = depth;
    this.size = size;
    this.open = false;     // a group whose children are drawn
    this.titled = false;
    this.from = 0;         // above 0: the rest
    this.count = 1;
  }

  get rest() { return this.from > 0; }
}

/** The boxes of what `group` holds, those of a group before those of its children. `depth` counts from 1. */
function layOut(group, unit, cells, width, height) {
  const boxes = [];
  const todo = [[group, 0, 0, width, height, 1]];
  while (todo.length) {
    const [parent, x, y, w, h, depth] = todo.pop();
    for (const box of squarify(parent, unit, cells, x, y, w, h, depth)) {
      boxes.push(box);
      if (box.rest || !(box.item instanceof Group) || Math.min(box.w, box.h) < LEAST_SIDE) continue;
      box.open = true;
      box.titled = box.w > 44 && box.h > TITLE + 14;
      const top = box.titled ? TITLE : GAP;
      const inner = [box.w - 2 * GAP, box.h - top - GAP];
      todo.push([box.item, box.x + GAP, box.y + top, ...inner, depth + 1]);
    }
  }
  return boxes;
}

function squarify(group, unit, cells, x, y, w, h, depth) {
  const children = group.children(unit, cells);
  const sizes = cells.sizes[unit];
  const boxes = [];
  let left = group.total[unit];
  if (!(left > 0) || w <= 0 || h <= 0) return boxes;
  const scale = w * h / left;
  let next = 0;
  const take = () => {
    if (next >= children.length) return null;
    const item = children[next];
    const size = item instanceof Group ? item.total[unit] : sizes[item];
    if (size <= 0) return null;
    if (size * scale < LEAST_AREA && next > 0 && next < children.length - 1) {
      const rest = new Box(group, 0, 0, 0, 0, depth, left);
      rest.from = next;
      rest.count = children.length - next;
      next = children.length;
      return rest;
    }
    next++;
    left -= size;
    return new Box(item, 0, 0, 0, 0, depth, size);
  };
  let row = [], rowArea = 0, worst = Infinity;
  let box = take();
  while (box) {
    const area = box.size * scale;
    const side = Math.min(w, h);
    const largest = row.length ? row[0].size * scale : area;
    const smallest = Math.min(area, row.length ? row[row.length - 1].size * scale : area);
    const sum = rowArea + area;
    const ratio = Math.max(side * side * Math.max(largest, area) / (sum * sum), sum * sum / (side * side * smallest));
    if (row.length && ratio > worst) {
      [x, y, w, h] = place(row, rowArea, scale, x, y, w, h);
      boxes.push(...row);
      row = [];
      rowArea = 0;
      worst = Infinity;
      continue;
    }
    row.push(box);
    rowArea = sum;
    worst = ratio;
    box = take();
  }
  place(row, rowArea, scale, x, y, w, h);
  boxes.push(...row);
  return boxes;
}

/** Puts a row along the shorter side; returns what is left of the rectangle. */
function place(row, area, scale, x, y, w, h) {
  const upright = w >= h;
  const thickness = area / (upright ? h : w) || 0;
  let at = upright ? y : x;
  for (const box of row) {
    const length = box.size * scale / thickness || 0;
    if (upright) Object.assign(box, { x, y: at, w: thickness, h: length });
    else Object.assign(box, { x: at, y, w: length, h: thickness });
    at += length;
  }
  return upright ? [x + thickness, y, w - thickness, h] : [x, y + thickness, w, h - thickness];
}

/** The deepest box at a point, or null. */
function boxAt(boxes, x, y) {
  for (let i = boxes.length - 1; i >= 0; i--) {
    const box = boxes[i];
    if (x >= box.x && y >= box.y && x < box.x + box.w && y < box.y + box.h) return box;
  }
  return null;
}

/** The box beside `from` in a direction (dx, dy): the nearest one, straight before sideways. */
function neighbour(boxes, from, dx, dy) {
  const centre = box => [box.x + box.w / 2, box.y + box.h / 2];
  const [fx, fy] = centre(from);
  let best = null, least = Infinity;
  for (const box of boxes) {
    const ahead = dx > 0 ? box.x - (from.x + from.w) : dx < 0 ? from.x - (box.x + box.w)
      : dy > 0 ? box.y - (from.y + from.h) : from.y - (box.y + box.h);
    if (box === from || ahead < -1) continue;
    const [x, y] = centre(box);
    const overlap = dx ? Math.min(box.y + box.h, from.y + from.h) - Math.max(box.y, from.y)
      : Math.min(box.x + box.w, from.x + from.w) - Math.max(box.x, from.x);
    const aside = overlap > 0 ? 0 : 4 * -overlap + 1;
    const distance = ahead + aside + 0.01 * (dx ? Math.abs(y - fy) : Math.abs(x - fx));
    if (distance < least) [best, least] = [box, distance];
  }
  return best;
}
