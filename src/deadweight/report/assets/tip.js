// The tip beside the pointer or the cursor.

class Tip {
  constructor(element) {
    this.element = element;
    this.box = null;
  }

  /** Shows `facts` (a title and pairs of name and value) of `box` near a point of the window. */
  show(box, [title, facts], x, y) {
    const { element } = this;
    if (this.box !== box) {
      const list = make('dl', {});
      for (const [name, value] of facts) list.append(make('dt', {}, name), make('dd', {}, value));
      element.replaceChildren(make('strong', {}, title), list);
      this.box = box;
    }
    element.hidden = false;
    const { offsetWidth, offsetHeight } = element;
    const left = x + 14 + offsetWidth > innerWidth - 8;
    const above = y + 18 + offsetHeight > innerHeight - 8;
    element.style.left = `${Math.max(8, left ? x - 14 - offsetWidth : x + 14)}px`;
    element.style.top = `${Math.max(8, above ? y - 12 - offsetHeight : y + 18)}px`;
  }

  hide() {
    this.element.hidden = true;
    this.box = null;
  }
}
