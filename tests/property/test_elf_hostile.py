"""ELF files that lie: whatever the bytes, the reader answers, and with no more than the file could hold."""

from __future__ import annotations

import io
import json

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.inventory import elf
from deadweight.layer.collect import ends
from deadweight.layer.content import Kept, Space, Whole
from elf_samples import (
    ALLOC,
    DT_NEEDED,
    DT_RUNPATH,
    DT_SONAME,
    NOBITS,
    PROGBITS,
    SYMTAB,
    ElfSample,
    Section,
    go_section,
)

names = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1, max_size=20
)
sections = st.lists(
    st.builds(
        Section,
        name=st.sampled_from(
            [
                ".text",
                ".debug_info",
                ".zdebug_line",
                ".comment",
                ".gnu_debuglink",
                ".rela.debug_x",
                ".gdb_index",
            ]
        ),
        content=st.binary(max_size=200).map(lambda content: content + b"\0"),
        kind=st.sampled_from([PROGBITS, NOBITS]),
        flags=st.sampled_from([0, ALLOC]),
    ),
    max_size=6,
)
go_sections = st.builds(
    lambda version, text: Section(".go.buildinfo", go_section(version, text), flags=ALLOC),
    st.text(max_size=10),
    st.text(max_size=100).map(lambda text: text + "\n"),
)
samples = st.builds(
    ElfSample,
    bits=st.sampled_from([32, 64]),
    order=st.sampled_from("<>"),
    kind=st.sampled_from([1, 2, 3]),
    interpreter=st.one_of(st.just(""), names),
    names=st.fixed_dictionaries(
        {
            DT_NEEDED: st.lists(names, max_size=4),
            DT_SONAME: st.lists(names, max_size=1),
            DT_RUNPATH: st.lists(names, max_size=1),
        }
    ),
    sections=st.tuples(sections, st.lists(go_sections, max_size=1)).map(
        lambda both: (
            Section(".text", b"\0", flags=ALLOC),
            Section(".symtab", bytes(48), SYMTAB, link=3),
            Section(".strtab", bytes(9), 3),
            *both[0],
            *both[1],
        )
    ),
)


@settings(deadline=None)
@given(samples)
def test_it_reads_what_pyelftools_reads(sample: ElfSample) -> None:
    content = sample.content()
    found = elf.of(elf.COLLECTOR.collect("file", Whole(content)))
    assert found is not None
    oracle = ELFFile(io.BytesIO(content))
    assert list(found.needed) == _strings(oracle, "needed")
    assert [found.soname] == _strings(oracle, "soname") or not found.soname
    assert list(found.runpath) == _strings(oracle, "runpath")
    assert (found.bits, found.big_endian) == (oracle.elfclass, not oracle.little_endian)
    assert found.debug == sum(
        section["sh_size"]
        for section in oracle.iter_sections()
        if section.name.startswith((".debug", ".zdebug", ".rela.debug", ".gdb_index"))
        and not section["sh_flags"] & ALLOC
        and section["sh_type"] != "SHT_NOBITS"
    )
    assert found.symbols == 57
    assert not found.incomplete


def _strings(oracle: ELFFile, name: str) -> list[str]:
    return [
        getattr(tag, name)
        for segment in oracle.iter_segments()
        if isinstance(segment, DynamicSegment)
        for tag in segment.iter_tags()
        if tag.entry.d_tag == f"DT_{name.upper()}"
    ]


@settings(deadline=None)
@given(
    samples,
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=8),
    st.integers(0, 10_000),
    st.integers(64, 2_000),
)
def test_damaged_files_are_answered(
    sample: ElfSample, damages: list[tuple[int, bytes]], length: int, limit: int
) -> None:
    content = bytearray(sample.content())
    for position, damage in damages:
        position %= len(content)
        content[position : position + len(damage)] = damage
    del content[max(64, length) :]
    content[:4] = b"\x7fELF"
    kept = Kept(len(content), ends(len(content), limit), Space())
    kept.append(memoryview(content))
    for shown in (Whole(bytes(content)), kept):
        fact = elf.COLLECTOR.collect("file", shown)
        assert json.loads(json.dumps(fact)) == fact
        found = elf.of(fact)
        if found is not None:
            assert 0 <= found.debug + found.symbols <= len(content)
            texts = (*found.needed, found.soname, *found.rpath, *found.runpath)
            assert sum(map(len, texts)) <= len(content)
