#!/usr/bin/env python3
"""Counts the lines of code in each crate's `src`: no blank lines, no comments, no tests.

    tests/lines.py [COMMIT]     of this commit, or of the files as they are

Tests are items under `#[cfg(test)]` and the harness under `#[cfg(feature = "check")]`. It relies on `cargo fmt`: such an
item ends at the first closing brace of its own depth.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*words):
    done = subprocess.run(['git', *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(done.returncode)


def files(commit):
    """Path and text of each source file."""
    listed = git('ls-tree', '-r', '--name-only', commit) if commit else git('ls-files')
    paths = [path for path in listed.splitlines() if re.fullmatch(r'crates/[^/]+/src/.*\.rs', path)]
    return {path: git('show', f'{commit}:{path}') if commit else (ROOT / path).read_text() for path in paths}


def code(text):
    """The lines of code of a file that are not tests, and the modules that are tests."""
    lines, tests, ending = [], [], None
    for line in text.splitlines():
        if ending == '':  # after the attribute
            module = re.match(r' *(?:pub(?:\(.*\))? )?mod (\w+);', line)
            if module:
                tests.append(module[1])
            if not line.strip().startswith('#['):
                ending = None if line.rstrip().endswith((';', ',', '}')) else re.match(' *', line)[0] + '}'
        elif ending:
            if line.rstrip(';,') == ending:
                ending = None
        elif re.match(r' *#\[cfg\((test|feature = "check")\)\]', line):
            ending = ''
        elif line.strip() and not line.strip().startswith('//'):
            lines.append(line)
    return lines, tests


def main():
    sources = {path: code(text) for path, text in files(sys.argv[1] if len(sys.argv) > 1 else None).items()}
    is_test = set()
    for path, (_, modules) in sources.items():
        folder = re.sub(r'(/(mod|lib|main))?\.rs$', '', path)
        is_test |= {f'{folder}/{module}' for module in modules}
    total, counts = 0, {}
    for path, (lines, _) in sources.items():
        if any(re.match(re.escape(test) + r'(/|\.rs$)', path) for test in is_test):
            continue
        crate = path.split('/')[1]
        counts[crate] = counts.get(crate, 0) + len(lines)
        total += len(lines)
    for crate, count in sorted(counts.items()):
        print(f'{crate:14}{count:7}')
    print(f'{"all":14}{total:7}')


main()
