// What cells, groups and boxes are, in words and numbers. A child is a cell (its number) or a group.

const UNITS = ['Unpacked', 'Wire'];

class Describer {
  constructor(cells) {
    this.cells = cells;
  }

  size(child, unit) {
    return child instanceof Group ? child.total[unit] : this.cells.sizes[unit][child];
  }

  label(child) {
    return child instanceof Group ? child.name : this.cells.label(child);
  }

  path(child) {
    if (!(child instanceof Group)) return this.cells.path(child);
    if (child.directory !== undefined) return this.cells.directoryPath(child.directory);
    return child.parent ? child.name : 'The whole image';
  }

  boxLabel(box) {
    return box.rest ? `${numberText(box.count)} more` : this.label(box.item);
  }

  /** [category, bytes] of what is not simply live, the most first. */
  flags(child, unit) {
    const { cells } = this;
    if (!(child instanceof Group)) {
      const category = cells.category[child];
      return cells.hue(category) ? [[category, cells.sizes[unit][child] * cells.fraction(child, category)]] : [];
    }
    return this.flagged(child.byCategory[unit]);
  }

  flagged(sums) {
    const flags = [];
    sums.forEach((size, category) => { if (size > 0 && this.cells.hue(category)) flags.push([category, size]); });
    return flags.sort((a, b) => b[1] - a[1]);
  }

  /** The class of a cell, its findings and its layer, in one line. */
  line(cell) {
    const { cells } = this;
    if (cells.kind[cell] === NAME) return 'one more name of a file that is counted at another';
    const categories = new Set([cells.category[cell], ...cells.marks(cell)]);
    const labels = [...categories].map(category => cells.categories[category].label);
    const note = cells.note[cell] ? ` · ${cells.notes[cells.note[cell]]}` : '';
    return `${labels.join(', ')} · layer ${cells.layer[cell] + 1}${note}`;
  }

  /** The title of a box and its facts as pairs of name and value; `whole` and `level` are what shares are of. */
  facts(box, unit, whole, level) {
    const share = `${percentText(box.size, whole)} of the image, ${percentText(box.size, level)} of this level`;
    const size = `${sizeText(box.size)} ${UNITS[unit].toLowerCase()}`;
    if (box.rest) return [this.boxLabel(box), [['In', this.path(box.item)], ['Size', size], ['Share', share]]];
    if (box.item instanceof Group) return [this.path(box.item), this.groupFacts(box.item, unit, size, share)];
    return [this.cells.path(box.item), this.cellFacts(box.item, unit, size, share)];
  }

  groupFacts(group, unit, size, share) {
    const facts = [['Size', size], ['Share', share], ['Files', numberText(group.count)]];
    if (group.title) facts.unshift(['Instruction', group.title]);
    for (const [category, bytes] of this.flags(group, unit).slice(0, 5)) {
      facts.push([this.cells.categories[category].label, sizeText(bytes)]);
    }
    return facts;
  }

  cellFacts(cell, unit, size, share) {
    const { cells } = this;
    const layer = cells.layers[cells.layer[cell]];
    const other = 1 - unit;
    if (other === UNPACKED || layer.wire) size += `, ${sizeText(cells.sizes[other][cell])} ${UNITS[other].toLowerCase()}`;
    const facts = [['Size', size], ['Share', share], ['Layer', `${cells.layer[cell] + 1} · ${layer.label || 'unknown instruction'}`]];
    if (cells.kind[cell] === ENTRIES) return facts;
    const { kind, label, hue } = cells.categories[cells.category[cell]];
    const { words } = cells;
    facts.push(['Owner', cells.owners[cells.owner[cell]]]);
    facts.push(['Class', kind === 'dead' ? `${label}: no container sees it` : hue ? words.marked : words.live]);
    const findings = cells.marks(cell).map(mark => this.finding(cell, mark));
    if (findings.length) facts.push([words.marks, findings.join(', ')]);
    if (cells.note[cell]) facts.push([words.note, cells.notes[cells.note[cell]]]);
    return facts;
  }

  finding(cell, category) {
    const part = this.cells.fraction(cell, category);
    const { label } = this.cells.categories[category];
    return part < 1 ? `${label} (${sizeText(part * this.cells.sizes[UNPACKED][cell])} of it)` : label;
  }
}
