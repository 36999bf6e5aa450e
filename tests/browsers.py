"""A real Chromium that shows reports as a reader would, from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from conftest import require_program
from deadweight.accounting.model import Analysis
from deadweight.report.html import render_html

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = (1280, 800)

Show = Callable[..., Page]


@contextmanager
def chromium() -> Iterator[Browser]:
    program = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def showing(browser: Browser, folder: Path) -> Iterator[Show]:
    """Opens reports; fails for errors, dialogs and requests."""
    troubles: list[str] = []
    contexts = []

    def show(
        report: Analysis | Path,
        size: tuple[int, int] = DESKTOP,
        scheme: str = "light",
        ratio: float = 1,
        script: bool = True,
    ) -> Page:
        path = report
        if isinstance(report, Analysis):
            path = folder / "report.html"
            path.write_text(render_html(report), "utf-8")
        assert isinstance(path, Path)
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            device_scale_factor=ratio,
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        own = path.as_uri()
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: None if request.url in (own, "data:,") else troubles.append(request.url),
        )
        page.goto(own)
        if script:
            page.wait_for_selector("html.ready")
        return page

    yield show
    for context in contexts:
        context.close()
    assert troubles == []
