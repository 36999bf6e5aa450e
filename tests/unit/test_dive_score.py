from __future__ import annotations

from deadweight.accounting.dive import dive_score
from deadweight.accounting.model import Analysis
from layers_by_hand import analysis_of, directory, file, whiteout


def test_an_overwritten_file_is_wasted_with_all_its_copies() -> None:
    analysis = analysis_of([file("a", 100), file("b", 50)], [file("a", b"x" * 40)])
    assert analysis.dive.wasted == 140
    assert analysis.dive.user_bytes == 40
    assert analysis.dive.efficiency == (40 + 50) / (140 + 50)


def test_a_deleted_file_is_wasted() -> None:
    analysis = analysis_of([file("a", 100), file("b", 50)], [whiteout("a")])
    assert analysis.dive.wasted == 100
    assert analysis.dive.efficiency == 50 / 150


def test_a_deleted_directory_is_not() -> None:
    analysis = analysis_of([directory("d"), file("d/a", 100), file("b", 50)], [whiteout("d")])
    assert analysis.classes["deleted"] == 100
    assert analysis.dive.wasted == 0
    # The whiteout stands for the 100 bytes, once more.
    assert analysis.dive.efficiency == 1.0


def test_a_whiteout_of_nothing_ends_the_walk_of_its_layer() -> None:
    analysis = analysis_of([file("a", 100)], [whiteout("m"), file("a", b"x" * 10), file("z", b"y" * 10)])
    # "/.wh.m" comes first: neither a nor z of the second layer is looked at. What is left of m is a size of -1.
    assert analysis.dive.wasted == 0
    assert analysis.dive.efficiency == (100 - 1) / 100


def test_a_file_beside_the_whiteout_of_its_name_counts_twice() -> None:
    analysis = analysis_of([file("a", 100)], [whiteout("a"), file("a", b"x" * 10)])
    assert analysis.dive.wasted == 110
    assert analysis.dive.efficiency == 0.0


def test_an_opaque_whiteout_is_no_node() -> None:
    analysis = analysis_of([file("d/a", 100)], [file("d/.wh..wh..opq"), file("d/b", b"x" * 10)])
    assert analysis.dive.wasted == 0


def test_the_only_entry_of_a_directory_is_an_opaque_whiteout() -> None:
    analysis = analysis_of([file("d/a", 100)], [file("d/.wh..wh..opq")], [file("d", b"x" * 5)])
    assert analysis.dive.wasted == 5


def test_a_whiteout_of_a_whole_directory_counts_again_where_it_was_a_leaf() -> None:
    layers = ([directory("d")], [directory("d"), file("d/a", 100)], [whiteout("d")])
    analysis = analysis_of(*layers)
    assert analysis.dive.wasted == 100


def test_nothing_is_efficient() -> None:
    assert dive_score([]).efficiency == 1.0
    assert analysis_of([]).dive.efficiency == 1.0


def test_the_bytes_of_the_base_are_not_the_users() -> None:
    analysis: Analysis = analysis_of([file("a", 100)], [file("b", 30)], [file("c", 12)])
    assert analysis.dive.user_bytes == 42
