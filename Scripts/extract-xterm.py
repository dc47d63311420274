#!/usr/bin/env python3
"""Takes xterm.js and its addons out of the jupyterlab wheel, as plain ES modules.

usage: extract-xterm.py WHEEL TARGET_DIRECTORY

The wheel carries xterm.js 6 as one bundler chunk a package: a table of module functions. Each chunk here becomes one
ES module: the table, the three functions of the bundler's runtime that it calls, and an export. The caller has
checked the wheel's hash, so what is found here is always the same; every step is checked all the same, and nothing is
written to TARGET_DIRECTORY unless all of it worked.

One change is made, so that the page can forbid inline styles (Content-Security-Policy: style-src 'self'): where
xterm.js makes a <style> element, it gets an element that feeds a constructed style sheet instead, and where it sets a
`style` attribute it sets `style.cssText`.
"""
import json
import os
import re
import shutil
import sys
import tempfile
import zipfile

STATIC = re.compile(r"^jupyterlab-[^/]+\.data/data/share/jupyter/lab/static/|^jupyterlab/static/")
CHUNK = re.compile(r'^"use strict";\(self\.\w+=self\.\w+\|\|\[\]\)\.push\(\[\[\d+\],(\{.*\})\]\);\s*$', re.DOTALL)
MODULES = {
    "xterm.js": ("@xterm/xterm", "Terminal"),
    "addon-fit.js": ("@xterm/addon-fit", "FitAddon"),
    "addon-web-links.js": ("@xterm/addon-web-links", "WebLinksAddon"),
    "addon-webgl.js": ("@xterm/addon-webgl", "WebglAddon"),
}

RUNTIME = """\
const table = %s;
const found = {};
function load() { return undefined; }
load.r = () => {};
load.d = (target, getters) => {
  for (const name of Object.keys(getters)) Object.defineProperty(target, name, { enumerable: true, get: getters[name] });
};
for (const id of Object.keys(table)) table[id]({ id }, found, load);
export const %s = found.%s;
"""

STYLE_ELEMENT = """\
class SheetElement extends HTMLElement {
  #sheet = new CSSStyleSheet();
  set textContent(text) { this.#sheet.replaceSync(text); }
  connectedCallback() { document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet]; }
  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }
}
if (!customElements.get('xterm-style')) customElements.define('xterm-style', SheetElement);
"""

STYLE_ATTRIBUTE = re.compile(r'(\w+)\.setAttribute\("style",(`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{\w+\};`)\)')


def fail(message):
    sys.exit(f"extract-xterm.py: {message}")


def static_files(wheel):
    """Name in the static folder -> bytes, for the scripts and the licences."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            STATIC.sub("", name): archive.read(name)
            for name in archive.namelist()
            if STATIC.match(name) and name.endswith((".js", ".json"))
        }


def chunk_exporting(scripts, symbol, marker):
    """The module table of the one small chunk whose module exports `symbol` and mentions `marker`."""
    pattern = re.compile(r"\b\w+\.d\(\w+,\{" + symbol + r":\(\)=>\w+\}\)")
    tables = [
        match.group(1)
        for text in scripts
        if marker in text and pattern.search(text) and (match := CHUNK.match(text))
    ]
    if len(tables) != 1:
        fail(f"{len(tables)} chunks export {symbol}, not 1: is this the pinned wheel?")
    return tables[0]


def without_inline_styles(table):
    """xterm.js with constructed style sheets in place of <style> elements and style attributes."""
    table, elements = re.subn(r'createElement\("style"\)', 'createElement("xterm-style")', table)
    table, attributes = STYLE_ATTRIBUTE.subn(r"\1.style.cssText=\2", table)
    if elements != 3 or attributes != 1 or 'setAttribute("style"' in table:
        fail(f"{elements} style elements and {attributes} style attributes changed, not 3 and 1")
    return table


def style_sheet(scripts):
    """xterm.css, which the bundle keeps in a template literal."""
    for text in scripts:
        at = text.find(".xterm-helper-textarea {")
        if at < 0:
            continue
        start, end = text.rfind("`", 0, at) + 1, text.find("`", at)
        css = text[start:end]
        if css.lstrip().startswith("/**") and "Copyright (c) 2014 The xterm.js authors" in css and "\\" not in css:
            return css
    fail("xterm.css is not in the wheel")


def licences(files):
    packages = {package["name"]: package for package in json.loads(files["third-party-licenses.json"])["packages"]}
    parts = []
    for name, _ in MODULES.values():
        package = packages[name]
        if package["licenseId"] != "MIT":
            fail(f"{name} is under {package['licenseId']}, not MIT")
        parts.append(f"{name} {package['versionInfo']}\n\n{package['extractedText'].strip()}\n")
    return ("\n" + "-" * 78 + "\n\n").join(parts)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[2])
    wheel, target = sys.argv[1:]
    files = static_files(wheel)
    scripts = [data.decode("utf-8") for name, data in files.items() if name.endswith(".js")]

    temporary = tempfile.mkdtemp(prefix=".web.", dir=os.path.dirname(os.path.abspath(target)))
    try:
        def write(name, text):
            with open(os.path.join(temporary, name), "w", encoding="utf-8") as file:
                file.write(text)

        for name, (_, symbol) in MODULES.items():
            table = chunk_exporting(scripts, symbol, "activate" if symbol != "Terminal" else "xterm-helper-textarea")
            prefix = ""
            if name == "xterm.js":
                table, prefix = without_inline_styles(table), STYLE_ELEMENT
            write(name, prefix + RUNTIME % (table, symbol, symbol))
        write("xterm.css", style_sheet(scripts))
        write("LICENSE.xterm.txt", licences(files))
        os.chmod(temporary, 0o755)
        if os.path.isdir(target):
            shutil.rmtree(target)
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


if __name__ == "__main__":
    main()
