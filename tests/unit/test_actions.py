from __future__ import annotations

from layers_by_hand import analysis_of, file, hard_link, whiteout


def test_one_change_that_removes_several_findings_counts_each_byte_once() -> None:
    layer = [
        file("usr/share/doc/x/README", 3000),
        file("usr/share/man/man1/x.1", 2000),
        file("usr/share/locale/de/LC_MESSAGES/x.mo", 1000),
        file("usr/bin/apt-get", b"x", 0o755),
    ]
    (found,) = analysis_of(layer).actions
    assert (found.id, found.unpacked, found.findings) == (
        "no-docs",
        6000,
        ("documentation", "man-pages", "locales"),
    )
    assert "/etc/dpkg/dpkg.cfg.d" in found.detail


def test_a_file_in_two_findings_of_one_action_counts_once() -> None:
    same = b"x" * 2000
    analysis = analysis_of(
        [
            file("usr/include/a.h", same),
            file("usr/lib/x.a", 3000),
            hard_link("usr/include/b.h", "usr/include/a.h"),
        ]
    )
    assert [(found.id, found.unpacked) for found in analysis.actions] == [("build-stage", 5000)]


def test_the_layers_to_change_are_named() -> None:
    layers = ([file("a", 5000)], [whiteout("a")])
    (found,) = analysis_of(*layers, instructions=("COPY big /", "RUN rm /a")).actions
    assert found.id == "undo-deleted"
    assert "layer 1 brings it (COPY big /)" in found.detail
    assert "layer 2 hides it (RUN rm /a)" in found.detail


def test_flattening_takes_away_all_that_is_dead() -> None:
    layers = ([file("a", 5000), file("b", 3000)], [whiteout("a"), file("b", b"new")])
    found = {one.id: one.unpacked for one in analysis_of(*layers).actions}
    assert found == {"flatten": 8000, "undo-deleted": 5000, "undo-superseded": 3000}


def test_trifles_are_not_worth_doing() -> None:
    assert analysis_of([file("tmp/a", 1000)]).actions == ()


def test_the_largest_comes_first() -> None:
    analysis = analysis_of(
        [file("tmp/a", 2000), file("usr/share/man/man1/x.1", 4000), file("usr/include/x.h", 3000)]
    )
    assert [found.id for found in analysis.actions] == ["no-docs", "build-stage", "clean-in-place"]
