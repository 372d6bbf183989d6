"""Every link of every page leads somewhere, every file that a page names is there, and
tests/README.md has the table that tests/map makes. Prints TAP.

usage: pages.py TOPDIR

A link is [text](target) or a reference's definition; its target is a file beside the page, a
heading, or both. Links to other hosts are not followed. A file is named by code (`...` or an
indented or fenced block) that has a path from the top of the repository, patterns included.
"""
import difflib
import glob
import os
import re
import subprocess
import sys

TOP = sys.argv[1]
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.M)
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?:(?: {4}|\t).*(?:\n|\Z)|\n(?= {4}|\t))+")
CODE = re.compile(r"`([^`\n]+)`")
FOLDERS = "kmod|include|tools|tests|docs|debian|guest|src"
PATH = re.compile(rf"(?<![\w./$~-])(?:\./)?((?:{FOLDERS})/[\w./*?-]*)")
points = failed = 0


def point(name, wrong):
    """A point, which nothing may be wrong with."""
    global points, failed
    points += 1
    failed += bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} {points} - {name}")
    for text in wrong:
        print(f"# {text}")


def tracked(*patterns):
    """Files that git tracks or would."""
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "--cached", "--others",
                             "--exclude-standard", "--", *patterns],
                            capture_output=True, text=True, check=True).stdout
    return sorted(path for path in listed.splitlines() if os.path.exists(os.path.join(TOP, path)))


def read(path):
    """A file as text."""
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def prose_of(page):
    """A page without its code, in which brackets mean something else."""
    return CODE.sub("", INDENTED.sub("", FENCE.sub("", page)))


def anchors_of(page):
    """What its headings are called in links, as GitHub makes it of them."""
    titles = re.findall(r"^#+ +(.*?)\s*$", FENCE.sub("", page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links_of(path):
    """(how many links, those that lead nowhere)."""
    found = [a or b for a, b in LINK.findall(prose_of(read(path)))]
    wrong = []
    for link in found:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(os.path.join(TOP, target)):
            wrong.append(f"{path}: no file: {link}")
        elif anchor and anchor not in anchors_of(read(target)):
            wrong.append(f"{path}: no heading: {link}")
    return len(found), wrong


def files_of(path):
    """(how many files are named by code, those that are not there)."""
    page = read(path)
    code = FENCE.findall(page)
    page = FENCE.sub("", page)
    code += INDENTED.findall(page) + CODE.findall(INDENTED.sub("", page))
    found = [name.rstrip(".") for text in code for name in PATH.findall(text)]
    here = os.path.join(TOP, os.path.dirname(path))
    return len(found), [f"{path}: no such file: {name}" for name in dict.fromkeys(found)
                        if not any(glob.glob(os.path.join(top, name)) for top in (TOP, here))]


def main():
    pages = tracked("*.md")
    links, files, wrong_links, wrong_files = 0, 0, [], []
    for path in pages:
        number, wrong = links_of(path)
        links, wrong_links = links + number, wrong_links + wrong
        number, wrong = files_of(path)
        files, wrong_files = files + number, wrong_files + wrong
    point(f"{links} links in {len(pages)} pages", wrong_links if links else ["none was found"])
    point(f"{files} files that they name", wrong_files if files else ["none was found"])
    folders = sorted({"/".join(path.split("/")[:2]) for path in tracked("tests/*/*")})
    point(f"a README in each of {len(folders)} folders of tests/",
          [folder for folder in folders if f"{folder}/README.md" not in pages])

    table = subprocess.run([os.path.join(TOP, "tests", "map")], capture_output=True, text=True,
                           check=True).stdout
    shown = re.search(r"<!-- tests/map -->\n(.*?)<!-- end -->", read("tests/README.md"), re.S)
    changes = [line for line in difflib.ndiff(shown[1].splitlines() if shown else [],
                                              table.splitlines()) if line[0] in "+-"]
    point("tests/README.md says what each target runs",
          changes and ["tests/map --write does this:", *changes])
    point("each test is run by a target",
          [path for path in tracked("*.t") if f"| `{path}` |" not in table])
    print(f"1..{points}")
    return failed > 0


sys.exit(main())
