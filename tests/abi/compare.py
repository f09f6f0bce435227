#!/usr/bin/env python3
"""Compares the interface of libraries, as described by the compiler, with the committed one.

Removals and changes of type or layout break existing plugins. Additions do not, nor does a struct with struct_size
that grows at its end.

    compare.py check FOLDER HEADERS LIBRARY…    TAP: one line per library
    compare.py update FOLDER HEADERS LIBRARY…   writes FOLDER/NAME.abi for each
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

# The interface between segue's own libraries changes with any version; internals of other libraries are not
# checked.
RULES = """[suppress_function]
  symbol_version_regexp = ^SEGUE_PRIVATE_
  drop = yes
[suppress_type]
  type_kind = struct
  name_not_regexp = ^_?Segue
"""
LEAN = ['--drop-private-types', '--exported-interfaces-only', '--no-show-locs', '--no-corpus-path',
        '--no-comp-dir-path', '--no-elf-needed', '--no-parameter-names', '--no-write-default-sizes',
        '--type-id-style', 'hash']
ADVICE = """Plugins that were built with {name} as committed would break. Where that is not intended, undo it: add a
function beside the old one (SEGUE_API_SINCE), add members only at the end of structs with struct_size
(and not where a struct has padding: its size would not tell).
Where it is intended, raise `abi` in meson.build and SEGUE_ABI_MAJOR in segue/version.h, type
  ninja -C build update-abi
and commit tests/abi/*.abi with the change."""


def name_of(library):
    return os.path.basename(library).split('.so')[0]


def describe(library, headers, rules):
    whole = subprocess.run(['abidw', '--headers-dir', headers, '--suppressions', rules, *LEAN, library],
                           check=True, capture_output=True, text=True).stdout
    return ''.join(line for line in whole.splitlines(keepends=True) if "version='SEGUE_PRIVATE_" not in line)


def members(struct):
    return struct.findall('data-member')


def sized_structs(root):
    """Structs that contain their size, by name."""
    return {struct.get('name'): struct for struct in root.iter('class-decl')
            if members(struct) and members(struct)[0].find('var-decl').get('name') == 'struct_size'}


def without_growth(now, before):
    """The description NOW, without members added since BEFORE at the ends of its structs with struct_size."""
    root = ET.fromstring(now)
    old = sized_structs(ET.fromstring(before))
    for name, struct in sized_structs(root).items():
        known = len(members(old[name])) if name in old else len(members(struct))
        # Where the size is the same, struct_size can't distinguish the new from the old: a change.
        if struct.get('size-in-bits') == (old[name].get('size-in-bits') if name in old else None):
            continue
        for member in members(struct)[known:]:
            struct.remove(member)
        if name in old and len(members(struct)) == known:
            struct.set('size-in-bits', old[name].get('size-in-bits'))
    return ET.tostring(root, encoding='unicode')


def changes(library, folder, headers, scratch, rules):
    """The findings of abidiff; '' where nothing would break."""
    committed = os.path.join(folder, name_of(library) + '.abi')
    with open(committed, encoding='utf-8') as file:
        before = file.read()
    now = os.path.join(scratch, 'now.abi')
    with open(now, 'w', encoding='utf-8') as file:
        file.write(without_growth(describe(library, headers, rules), before))
    result = subprocess.run(['abidiff', '--suppressions', rules, '--no-added-syms', committed, now],
                            capture_output=True, text=True, check=False)
    return '' if result.returncode == 0 else result.stdout + result.stderr


def main():
    mode, folder, headers, *libraries = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        rules = os.path.join(scratch, 'rules')
        with open(rules, 'w', encoding='utf-8') as file:
            file.write(RULES)
        if mode == 'update':
            for library in libraries:
                text = describe(library, headers, rules)
                with open(os.path.join(folder, name_of(library) + '.abi'), 'w', encoding='utf-8') as file:
                    file.write(text)
            return 0
        bad = 0
        print(f'1..{len(libraries)}')
        for n, library in enumerate(libraries, 1):
            found = changes(library, folder, headers, scratch, rules)
            print(f'{"not ok" if found else "ok"} {n} {name_of(library)}')
            if found:
                bad = 1
                for line in (found + ADVICE.format(name=name_of(library))).splitlines():
                    print('#', line)
        return bad


if __name__ == '__main__':
    sys.exit(main())
