"""The HTML report in a real Chromium: drawn, searched, walked by mouse and keyboard, in light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import html_samples as samples
from browsers import DESKTOP, Show
from deadweight.accounting.model import Secret
from deadweight.report.html import render_html

pytestmark = pytest.mark.browser

PHONE = (390, 844)
AREA_OF_LEAST_CELL = 30


@pytest.fixture(scope="module")
def large_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "report.html"
    path.write_text(render_html(samples.large()), "utf-8")
    return path


def wait_for(page: Page, condition: str) -> None:
    """Playwright's own way evaluates strings within the page, which the page's policy forbids."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never: {condition}")


def level(page: Page) -> str:
    found: str = page.evaluate("page.describer.path(page.level)")
    return found


def cursor(page: Page) -> str:
    found: str = page.evaluate("page.cursor ? page.describer.boxLabel(page.cursor) : ''")
    return found


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focus_map(page: Page) -> None:
    """By keyboard: the search has a key of its own, and Escape leads from there to the treemap."""
    press(page, "/", "Escape")


def point(page: Page, name: str, part: float = 0.5) -> tuple[float, float]:
    """A point of the window in the cell `name` of the level, `part` of its height down."""
    x, y = page.evaluate(
        """([name, part]) => {
          const box = page.siblings.find(box => page.describer.boxLabel(box) === name);
          const at = page.holder.getBoundingClientRect();
          return [at.left + box.x + box.w / 2, at.top + box.y + box.h * part];
        }""",
        [name, part],
    )
    return x, y


def test_what_the_browser_reads_is_the_ledger(show: Show) -> None:
    analysis = samples.large(4000)
    page = show(analysis)
    rows = page.evaluate(
        """Array.from(page.cells.name, (_, cell) => page.cells.kind[cell] === CONTENT ? [
          page.cells.path(cell).slice(1), page.cells.layer[cell], page.cells.sizes[UNPACKED][cell],
          page.cells.sizes[WIRE][cell], page.cells.owners[page.cells.owner[cell]],
          page.cells.categories[page.cells.category[cell]].kind === 'dead'] : null).filter(row => row)"""
    )
    owners = analysis.inventory.owners

    def owner(path: str) -> str:
        return f"{owners[path].label} {owners[path].version}" if path in owners else "no owner"

    live = ((row, False) for row in analysis.ledger.live() if "/.wh." not in row.entry.path)
    dead = ((row, True) for row in analysis.ledger.dead())
    assert sorted(rows) == sorted(
        [row.entry.path, row.layer, row.entry.size, row.wire, owner(row.entry.path), is_dead]
        for pairs in (live, dead)
        for row, is_dead in pairs
    )


@pytest.mark.parametrize("view", ["Directory", "Package", "Layer"])
@pytest.mark.parametrize("unit", ["Unpacked", "Wire"])
def test_areas_are_proportional_and_fill_the_level(show: Show, view: str, unit: str) -> None:
    analysis = samples.small()
    page = show(analysis)
    page.get_by_role("button", name=view, exact=True).click()
    page.get_by_role("button", name=unit, exact=True).click()
    boxes = page.evaluate("page.siblings.map(({w, h, size}) => [w * h, size])")
    whole = analysis.unpacked if unit == "Unpacked" else analysis.wire
    width, height = page.evaluate("[page.painter.width, page.painter.height]")
    assert sum(size for _, size in boxes) == whole
    assert sum(area for area, _ in boxes) == pytest.approx(width * height)
    for area, size in boxes:
        assert area / (width * height) == pytest.approx(size / whole)


def test_groups_hold_their_children(show: Show) -> None:
    page = show(samples.large(4000))
    boxes = page.evaluate(
        """page.boxes.filter(box => box.open).map(box => {
          const end = page.boxes.filter(one => one.depth === box.depth + 1
            && (one.rest ? one.item : one.item instanceof Group ? one.item.parent : page.hierarchy.groupOf[one.item]) === box.item);
          return [box.size, end.reduce((sum, one) => sum + one.size, 0), end.every(one =>
            one.x >= box.x && one.y >= box.y && one.x + one.w <= box.x + box.w + 0.01 && one.y + one.h <= box.y + box.h + 0.01)];
        })"""
    )
    assert len(boxes) > 20
    for size, held, inside in boxes:
        assert held == pytest.approx(size)
        assert inside


def test_layers_and_owners_have_what_the_analysis_says(show: Show) -> None:
    analysis = samples.small()
    page = show(analysis)
    page.get_by_role("button", name="Layer", exact=True).click()
    found = page.evaluate("page.siblings.map(box => [box.item.name, box.size])")
    assert sorted(found) == [[f"Layer {layer.position + 1}", layer.unpacked] for layer in analysis.layers]
    page.get_by_role("button", name="Package", exact=True).click()
    found = dict(page.evaluate("page.siblings.map(box => [box.item.name, box.size])"))
    dead = {"deb:libx1 2.0-1": 900_000, "no owner": 1_450_000}
    for owner in analysis.owners:
        name = f"{owner.package.label} {owner.package.version}" if owner.package else "no owner"
        assert found[name] == owner.unpacked + dead.get(name, 0)


def test_dead_and_suspect_cells_are_painted_in_their_colours(show: Show) -> None:
    page = show(samples.small())
    page.get_by_role("button", name="Layer", exact=True).click()
    colours = page.evaluate(
        """(() => {
          const { ratio, context, back, palette } = page.painter;
          const pixels = context.getImageData(0, 0, back.width, back.height).data;
          return page.boxes.filter(box => !box.open && !box.rest && box.w > 20 && box.h > 20).map(box => {
            const category = page.cells.categories[page.cells.category[box.item]];
            const left = Math.round((box.x + box.w / 2) * ratio), top = Math.round((box.y + box.h - 12) * ratio);
            const seen = new Set();
            for (let y = top; y < top + 9; y++) for (let x = left; x < left + 9; x++) {
              const at = 4 * (y * back.width + x);
              seen.add(`rgb(${pixels.slice(at, at + 3).join(', ')})`);
            }
            return [category.id, category.pattern, seen.size, seen.has(palette.hues[category.hue])];
          });
        })()"""
    )
    assert {"live", "superseded", "restated", "deleted", "unused-packages", "debug"} <= {
        row[0] for row in colours
    }
    for name, pattern, different, has_own in colours:
        assert has_own, name
        assert (different > 1) == (pattern != "plain"), name


def test_mouse_drills_in_and_out(show: Show) -> None:
    page = show(samples.small())
    assert level(page) == "The whole image"
    page.mouse.click(*point(page, "usr"))
    assert level(page) == "/usr"
    assert page.locator("#panel h3").inner_text() == "/usr"
    page.mouse.click(*point(page, "share/doc/perl"))
    assert level(page) == "/usr/share/doc/perl"
    page.mouse.click(*point(page, "README"))
    assert level(page) == "/usr/share/doc/perl"
    assert cursor(page) == "README"
    assert "Unused packages, Documentation" in page.locator("#tip").inner_text()
    page.locator("#crumbs button", has_text="usr").click()
    assert level(page) == "/usr"
    assert cursor(page) == "share/doc/perl"
    page.mouse.dblclick(*point(page, "bin"))
    assert level(page) == "The whole image"


def test_a_click_on_a_title_goes_straight_there(show: Show) -> None:
    page = show(samples.small())
    x, y = page.evaluate(
        """(() => {
          const box = page.boxes.find(box => box.titled && box.depth === 2 && page.describer.boxLabel(box) === 'lib');
          const at = page.holder.getBoundingClientRect();
          return [at.left + box.x + 10, at.top + box.y + 8];
        })()"""
    )
    page.mouse.click(x, y)
    assert level(page) == "/usr/lib"


def test_keys_walk_in_and_out(show: Show) -> None:
    page = show(samples.small())
    focus_map(page)
    assert page.evaluate("document.activeElement.id") == "canvas"
    press(page, "Home")
    assert cursor(page) == "usr"
    press(page, "Enter")
    assert level(page) == "/usr"
    names = page.evaluate("page.siblings.map(box => page.describer.boxLabel(box))")
    assert cursor(page) == names[0]
    press(page, "End")
    assert cursor(page) == names[-1]
    press(page, "Backspace")
    assert (level(page), cursor(page)) == ("The whole image", "usr")
    press(page, "Enter", "Escape")
    assert (level(page), cursor(page)) == ("The whole image", "usr")
    assert "usr" in page.locator("#status").inner_text()


def test_arrows_reach_every_cell(show: Show) -> None:
    page = show(samples.small())
    focus_map(page)
    press(page, "Home", "Enter")
    names = set(page.evaluate("page.siblings.map(box => page.describer.boxLabel(box))"))
    moves = page.evaluate(
        """page.siblings.map(from => [page.describer.boxLabel(from), Object.values(STEPS)
          .map(step => neighbour(page.siblings, from, ...step)).filter(box => box).map(box => page.describer.boxLabel(box))])"""
    )
    reached, todo = set(), [cursor(page)]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += dict(moves)[name]
    assert reached == names
    before = cursor(page)
    press(page, "ArrowRight")
    after = cursor(page)
    assert after != before
    left_of = page.evaluate(
        "name => page.siblings.find(box => page.describer.boxLabel(box) === name).x", before
    )
    assert page.evaluate("page.cursor.x") > left_of


def test_help_opens_by_key_and_closes(show: Show) -> None:
    page = show(samples.small())
    press(page, "?")
    assert page.locator("#keyhelp").is_visible()
    press(page, "Escape")
    assert not page.locator("#keyhelp").is_visible()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("libx", {"/usr/lib/libx.so"}),
        ("LIBX", {"/usr/lib/libx.so"}),
        ("*.so", {"/usr/lib/libx.so", "/usr/lib/liby.so", "/usr/lib/libz.so"}),
        ("lib?.so", {"/usr/lib/libx.so", "/usr/lib/liby.so", "/usr/lib/libz.so"}),
        ("/usr/bin/*", {"/usr/bin/perl", "/usr/bin/tool", "/usr/bin/tool-again"}),
        ("/usr/*", set()),
        ("/opt/**", {"/opt/old/data.bin", "/opt/old/more.bin"}),
        ("doc/**/READ*", {"/usr/share/doc/perl/README"}),
        ("/usr/**/lib/liby.so", {"/usr/lib/liby.so"}),
        ("/usr/***/lib/liby.so", {"/usr/lib/liby.so"}),
        ("b/liby*", set()),
        ("lib/lib[xy].so", set()),
        ("doc/*/READ*", {"/usr/share/doc/perl/README"}),
        ("perl/", {"/usr/share/doc/perl/README", "/usr/share/doc/perl/copyright"}),
        ("a.c(", set()),
        ("[*", set()),
    ],
)
def test_search(show: Show, query: str, expected: set[str]) -> None:
    analysis = samples.small()
    page = show(analysis)
    press(page, "/")
    page.keyboard.type(query)
    press(page, "Enter")
    listed = page.locator("#panel .path").all_inner_texts()
    assert set(listed) == expected
    rows = [*analysis.ledger.live(), *analysis.ledger.dead()]
    found = [row for row in rows if "/" + row.entry.path.replace("lib64", "lib") in expected]
    names = len(found) + ("/usr/bin/tool-again" in expected)
    size = sum(row.entry.size for row in found)
    text = page.locator("#panel .sum").inner_text()
    assert text.startswith(f"{names} match{'' if names == 1 else 'es'}, ")
    matched = page.evaluate("page.hierarchy.root.matched[UNPACKED]")
    assert matched == size
    assert len(listed) == names


def test_a_result_leads_to_its_cell_and_escape_clears(show: Show) -> None:
    page = show(samples.small())
    page.locator("#search").fill("liby")
    page.locator("#panel .path").click()
    assert (level(page), cursor(page)) == ("/usr/lib", "liby.so")
    assert page.evaluate("document.activeElement.id") == "canvas"
    press(page, "/", "Escape")
    assert page.evaluate("page.filter") is None
    assert page.locator("#search").input_value() == ""


def test_the_legend_shows_one_finding_with_its_exact_bytes(show: Show) -> None:
    page = show(samples.small())
    page.locator("#legend button", has_text="Debug sections").click()
    assert page.locator("#panel .sum").inner_text() == "2 matches, 325 kB (3.4 %)"
    assert page.locator("#legend [aria-pressed=true]").count() == 1
    page.locator("#legend button", has_text="Debug sections").click()
    assert page.evaluate("page.filter") is None


def test_findings_layers_and_owners_lead_into_the_treemap(show: Show) -> None:
    page = show(samples.small())
    page.locator("summary", has_text="Documentation").click()
    page.locator("details[open] button", has_text="Show in the treemap").click()
    assert page.locator("#panel h3").inner_text() == "Documentation"
    page.locator("button.link", has_text="COPY . /srv/app").click()
    assert level(page) == "Layer 3"
    page.locator("button.link", has_text="deb:perl").click()
    assert level(page) == "deb:perl 5.36.0-7"
    assert page.evaluate("page.filter") is None


def test_the_table_says_what_the_treemap_shows(show: Show) -> None:
    page = show(samples.small())
    rows = [text.split() for text in page.locator("#panel tbody tr").all_inner_texts()]
    assert rows[0] == ["usr", "7.8", "MB", "3.3", "MB"]
    assert [row[0] for row in rows] == ["usr", "opt/old", "var/log", "srv/app", "empty"]
    page.get_by_role("button", name="opt/old", exact=True).click()
    assert level(page) == "/opt/old"


def test_what_is_too_small_is_one_cell_that_can_be_entered(show: Show) -> None:
    files = [samples.file(f"data/f{number:05}", 1000) for number in range(60_000)]
    page = show(samples.analysis_of([files]))
    area = page.evaluate("page.painter.width * page.painter.height")
    page.mouse.click(*point(page, "data"))
    boxes = page.evaluate("page.boxes.length")
    assert boxes <= area / AREA_OF_LEAST_CELL + 1
    focus_map(page)
    press(page, "End")
    hidden = page.evaluate("page.cursor.count")
    assert hidden + boxes - 1 == 60_000
    press(page, "Enter")
    assert page.evaluate("page.level.count") == hidden
    press(page, "Backspace")
    assert level(page) == "/data"


def test_a_large_image_is_drawn_with_few_cells(show: Show, large_report: Path) -> None:
    page = show(large_report, (1920, 1080))
    assert page.evaluate("page.cells.count") > 54_000
    area = page.evaluate("page.painter.width * page.painter.height")
    for view in ("directory", "owner", "layer"):
        boxes, closed = page.evaluate(
            "view => { page.arrange(view); return [page.boxes.length, page.boxes.filter(box => !box.open).length]; }",
            view,
        )
        assert closed <= area / AREA_OF_LEAST_CELL
        assert 200 < boxes < 10_000
    page.locator("#search").fill("lib")
    page.locator("#panel .sum").wait_for()
    assert page.locator("#panel tbody tr").count() == 50
    page.locator("#panel .more").click()
    assert page.locator("#panel tbody tr").count() == 100


CONTRASTS = """() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const ground = element => {
    const line = [];
    for (let one = element; one; one = one.parentElement) line.push(parse(getComputedStyle(one).backgroundColor));
    return line.reverse().reduce((below, colour) => over(colour, below), [255, 255, 255, 1]);
  };
  for (const details of document.querySelectorAll('details')) details.open = true;
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const visible = element.checkVisibility() && !element.closest('script, style, noscript, :disabled');
    if (!visible || !walker.currentNode.data.trim()) continue;
    const ratio = contrast(parse(getComputedStyle(element).color), ground(element));
    found.push([walker.currentNode.data.trim().slice(0, 40), ratio]);
  }
  const input = document.getElementById('search');
  found.push(['placeholder', contrast(parse(getComputedStyle(input, '::placeholder').color), ground(input))]);
  const { palette } = page.painter;
  palette.hues.slice(1).forEach((hue, i) => found.push([`label on hue ${i + 1}`, contrast(parse(palette.ink), parse(hue))]));
  found.push(['label on live', contrast(parse(palette.liveInk), parse(palette.hues[0]))]);
  found.push(['size on live', contrast(parse(palette.liveNote), parse(palette.hues[0]))]);
  palette.ground.slice(1).forEach(colour => found.push(['title', contrast(parse(palette.title), parse(colour))]));
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(show: Show, scheme: str) -> None:
    page = show(samples.small(), scheme=scheme)
    page.mouse.move(*point(page, "usr"))
    found = page.evaluate(CONTRASTS)
    assert len(found) > 100
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []


def test_the_theme_switch_is_kept(show: Show) -> None:
    page = show(samples.small(), scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    live = "page.painter.palette.hues[0]"
    light = page.evaluate(f"[{background}, {live}]")
    page.locator("#theme").click()
    dark = page.evaluate(f"[{background}, {live}]")
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    page.reload()
    page.wait_for_selector("html.ready")
    assert page.evaluate(f"[{background}, {live}]") == dark
    page.emulate_media(color_scheme="dark")
    page.locator("#theme").click()
    assert page.evaluate(f"[{background}, {live}]") == light


def test_the_system_may_change_its_mind(show: Show) -> None:
    page = show(samples.small(), scheme="light")
    light = page.evaluate("page.painter.palette.hues[0]")
    page.emulate_media(color_scheme="dark")
    wait_for(page, f"page.painter.palette.hues[0] !== '{light}'")


def test_paper_is_light_and_has_no_tools(show: Show) -> None:
    page = show(samples.small(), scheme="dark")
    shown = page.evaluate("page.painter.palette.hues[0]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("page.painter.palette.hues[0]") != shown
    assert not page.locator(".tools").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("page.painter.palette.hues[0]") == shown
    assert len(page.pdf()) > 10_000


@pytest.mark.parametrize("size", [DESKTOP, (1920, 1080), PHONE])
def test_it_fits_the_window(show: Show, size: tuple[int, int]) -> None:
    page = show(samples.small(), size)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    width, height = page.evaluate("[page.painter.width, page.painter.height]")
    assert width > size[0] * 0.6
    assert 300 < height < size[1]
    page.set_viewport_size({"width": 700, "height": 700})
    wait_for(page, "page.painter.width === page.holder.clientWidth && page.painter.width < 700")


def test_dense_screens_get_more_pixels(show: Show) -> None:
    page = show(samples.small(), ratio=2)
    sizes = page.evaluate("[page.painter.back.width, page.painter.front.width, page.painter.width]")
    assert sizes == [2 * sizes[2], 2 * sizes[2], sizes[2]]


def test_controls_have_names(show: Show) -> None:
    page = show(samples.small())
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, input, [tabindex], nav, dialog, section[role], [role=application]')]
          .filter(element => element.checkVisibility() && !(element.getAttribute('aria-label') || element.textContent.trim()
            || element.labels?.[0]?.textContent.trim() || element.getAttribute('aria-labelledby')))
          .map(element => element.outerHTML.slice(0, 100))"""
    )
    assert unnamed == []
    focused = set()
    for _ in range(40):
        press(page, "Tab")
        focused.add(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        outline = page.evaluate(
            "[getComputedStyle(document.activeElement).outlineStyle, document.activeElement.tagName]"
        )
        assert outline[0] != "none" or outline[1] == "BODY"
    assert {"theme", "search", "help", "canvas", "Package", "Wire"} <= focused


def test_without_wire_sizes_there_is_no_wire_view(show: Show) -> None:
    page = show(samples.small(wire_known=False))
    button = page.get_by_role("button", name="Wire", exact=True)
    assert button.is_disabled()
    assert "unknown" in (button.get_attribute("title") or "")


def test_without_scripts_all_but_the_treemap_is_there(show: Show) -> None:
    page = show(samples.small(), script=False)
    assert page.get_by_text("The treemap needs JavaScript").is_visible()
    assert not page.locator("#map").is_visible()
    assert page.get_by_text("COPY . /srv/app").first.is_visible()
    assert not page.locator("#theme").is_visible()


def test_hostile_names_do_nothing(show: Show) -> None:
    name = "</script><img src=x onerror=alert(1)>"
    bad = "caf\udce9\u202e"
    analysis = samples.analysis_of(
        [
            [
                samples.file(f"srv/{name}", 5000),
                samples.file(f"{name}/{bad}", 3000),
                samples.file("../x//y", 2000),
            ],
            [samples.file(f"srv/{name}", 4000)],
        ],
        (f"RUN {name}", f"COPY {bad}"),
        findings=(),
        reference=name,
        secrets=(Secret(0, f"srv/{name}", name, live=True),),
    )
    analysis = samples.analysis_of(
        [index.entries for index in analysis.ledger.layers],
        (f"RUN {name}", f"COPY {bad}"),
        findings=(samples.suspect("odd", name, analysis, name),),
        reference=name,
        secrets=analysis.secrets,
    )
    page = show(analysis)
    for view in ("Package", "Layer", "Directory"):
        page.get_by_role("button", name=view, exact=True).click()
        focus_map(page)
        press(page, "Home", "ArrowDown", "ArrowRight", "Enter", "End", "Enter")
        for x, y in page.evaluate("page.boxes.map(box => [box.x + box.w / 2, box.y + box.h / 2])"):
            page.locator("#canvas").hover(position={"x": x, "y": y})
    page.locator("#search").fill("img")
    page.locator("#panel .sum").wait_for()
    assert page.locator("#panel .path").count() == 3
    page.locator("#legend button", has_text="img").click()
    assert page.locator("#panel .path").all_inner_texts() == [f"/{name}/caf\\xe9\\u202e"]
    assert page.locator("img").count() == 0
    assert page.evaluate("document.scripts.length") == 2
    page.wait_for_timeout(100)


def test_endless_names_and_depths_are_shown(show: Show) -> None:
    deep = "/".join("d" * 3000)
    page = show(
        samples.analysis_of(
            [
                [
                    samples.file(f"{deep}/bottom", 9000),
                    samples.file(f"{deep[:2001]}/branch", 9000),
                    samples.file("n" * 60_000, 9000),
                ]
            ],
            ("RUN " + "x" * 100_000,),
        )
    )
    page.locator("#search").fill("bottom")
    page.locator("#panel .path").click()
    assert page.evaluate("page.level.count") == 1
    assert page.locator("#crumbs button").count() < 15
    assert page.evaluate("document.documentElement.scrollWidth") == DESKTOP[0]
    focus_map(page)
    press(page, "Escape", "Escape", "Escape")
    assert level(page) == "The whole image"


def test_the_policy_refuses_what_an_escape_that_failed_would_bring(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    injected = "<img src=x onerror=alert(1)><script>alert(2)</script><img src=https://192.0.2.1/x>"
    path.write_text(render_html(samples.small()).replace("<h1>", f"<h1>{injected}"), "utf-8")
    context = browser.new_context()
    page = context.new_page()
    dialogs, requests, refused = [], [], []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.on("requestfinished", lambda request: requests.append(request.url))
    page.on("console", lambda message: refused.append(message.text))
    page.goto(path.as_uri())
    page.wait_for_selector("html.ready")
    page.wait_for_timeout(100)
    assert page.locator("img").count() == 2
    assert dialogs == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert len([text for text in refused if "Content Security Policy" in text]) >= 3
    context.close()
