"""The style sheet and the search script of the reference pages. Both are whole files of the site; nothing else is ever loaded."""

STYLE = """\
/* ivigil reference pages. Light and dark by the reader's own setting; nothing is told by colour alone. */
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --soft: #515a66; --paper: #fff; --panel: #f3f5f8; --line: #c9d0d9; --link: #0b57a4; --weak: #8a4b00; --good: #1d5c2e; --alarm: #9b1c1c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e9ee; --soft: #a9b3c0; --paper: #14181d; --panel: #1d232b; --line: #3b4450; --link: #86bdf5; --weak: #f0b56b; --good: #8fd3a1; --alarm: #ff9d94;
  }
}
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: break-word; }
a { color: var(--link); }
a:focus-visible, input:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: .6rem; padding-bottom: .4rem; border-bottom: 1px solid var(--line); }
header nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: 0; margin: .2rem 0; }
.label { margin: .2rem 0; color: var(--soft); font-size: .875rem; }
.label strong { color: var(--ink); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; padding-bottom: .15rem; border-bottom: 2px solid var(--line); }
h3, h4 { font-size: 1rem; margin: 1.2rem 0 .3rem; } .group { font-size: 1.1rem; }
.lead { font-size: 1.05rem; margin: .3rem 0; max-width: 60rem; }
.quiet, .origin, .id { color: var(--soft); }
.id { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.origin { font-size: .9rem; }
.kind { color: var(--soft); margin: 1rem 0 0; font-size: .9rem; }
.kind + h1 { margin-top: 0; }
.warn { border-left: 4px solid var(--alarm); background: var(--panel); padding: .4rem .7rem; margin: .4rem 0; }
.say { border-left: 4px solid var(--link); background: var(--panel); padding: .5rem .8rem; margin: .6rem 0; max-width: 60rem; }
.badge { border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; font-size: .8rem; color: var(--soft); white-space: nowrap; }
.badge.weak { color: var(--weak); border-color: currentColor; }
.badge.good { color: var(--good); border-color: currentColor; }
.badge.alarm { color: var(--alarm); border-color: currentColor; font-weight: 600; }
.cites { font-size: .85rem; }
dl { margin: .4rem 0; }
dl > div { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: .1rem 1rem; padding: .15rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); } dd { margin: 0; }
dd ul, td ul { margin: 0; padding-left: 1.1rem; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; max-width: 100%; }
.jump { font-size: .925rem; } .jump p { margin: .5rem 0; }
table { min-width: 15rem; border-collapse: collapse; font-size: .925rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding: .2rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; min-width: 4rem; max-width: 28rem; }
thead th { background: var(--panel); } tbody th { font-weight: 600; } .plain tbody th { font-weight: 400; } .right { text-align: right; }
.card { border-top: 1px solid var(--line); padding: .2rem 0 .4rem; }
h2 + .card { border-top: 0; }
.card h3, .card h4 { margin-top: .5rem; }
:target { background: var(--panel); outline: 2px solid var(--link); outline-offset: 2px; }
.references li { margin: .35rem 0; font-size: .925rem; max-width: 64rem; }
.disputes { margin: .1rem 0; color: var(--ink); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .6rem; list-style: none; padding: 0; }
.tiles li { border: 1px solid var(--line); border-radius: .35rem; padding: .5rem .7rem; background: var(--panel); }
.tiles span { display: block; color: var(--soft); font-size: .875rem; }
.find { margin: .4rem 0; } .find label { display: inline-block; margin-right: .5rem; }
.find input { font: inherit; width: min(28rem, 100%); padding: .3rem .5rem; border-radius: .25rem;
  color: var(--ink); background: var(--paper); border: 1px solid var(--soft); }
.finds { list-style: none; margin: .4rem 0; padding: 0; max-height: 60vh; overflow-y: auto; } .finds li { padding: .15rem 0; }
footer { margin-top: 2.5rem; padding-top: .6rem; padding-bottom: 2rem; border-top: 2px solid var(--line); color: var(--soft); font-size: .9rem; }
@media screen and (max-width: 44rem) {
  dl > div { grid-template-columns: minmax(0, 1fr); } h1 { font-size: 1.35rem; }
  th, td { padding: .2rem .35rem; min-width: 6rem; max-width: 16rem; } tbody th { min-width: 8rem; } td.right { min-width: 4rem; }
  .references, .disputes { padding-left: 1.6rem; } header nav ul { gap: .1rem .8rem; }
}
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --panel: #fff; --line: #999; --link: #000; --weak: #000; --good: #000; --alarm: #000; color-scheme: light; }
  body { font-size: 9.5pt; } header nav, .find, .skip { display: none; } header, main, footer { max-width: none; padding: 0; }
  .scroll { overflow: visible; } table { width: 100%; } th, td { min-width: 0; max-width: none; } a { text-decoration: none; }
  tr, li, .card, dl > div { break-inside: avoid; } h2, h3, caption { break-after: avoid; } thead { display: table-header-group; }
  details::details-content { content-visibility: visible; block-size: auto; } .jump { display: none; }
}
"""

SCRIPT = """\
// Search over search-index.js, which is loaded when the box is first used. Nothing else is fetched and nothing is sent.
(function () {
  "use strict";
  var box = document.getElementById("find"), input = document.getElementById("find-words");
  var list = document.getElementById("finds"), told = document.getElementById("find-count");
  if (!box || !input || !list || !told) { return; }
  var root = box.getAttribute("data-root") || "", most = 40, asked = false, entries = null;
  box.hidden = false;

  function folded(text) {
    return text.toLowerCase().normalize("NFKD").replace(/[\\u0300-\\u036f]/g, "");
  }

  function tokens(text) {
    return folded(text).match(/[a-z0-9]+/g) || [];
  }

  function load() {
    if (asked) { return; }
    asked = true;
    var script = document.createElement("script");
    script.src = root + "search-index.js";
    script.onload = function () {
      entries = window.IVIGIL_INDEX.map(function (row) {
        return { id: row[0], kind: row[1], title: row[2], page: row[3], head: tokens(row[0] + " " + row[2]), words: row[4].split(" ") };
      });
      show();
    };
    document.head.appendChild(script);
  }

  // 2 points for a word that begins one of the title or id, 1 for one elsewhere, none when it is missing; sources stand behind what rests on them.
  function score(entry, word) {
    function begins(token) { return token.lastIndexOf(word, 0) === 0; }
    return entry.head.some(begins) ? 2 : entry.words.some(begins) ? 1 : 0;
  }

  function add(sum, one) { return sum + one; }

  function show() {
    if (!entries) { load(); return; }
    var words = tokens(input.value);
    list.textContent = "";
    if (!words.length) { told.textContent = ""; return; }
    var found = [];
    entries.forEach(function (entry, order) {
      var points = words.map(function (word) { return score(entry, word); });
      if (points.indexOf(0) < 0) {
        found.push({ entry: entry, order: order, points: points.reduce(add, entry.kind === "source" ? -1.5 : 0) });
      }
    });
    found.sort(function (one, other) { return other.points - one.points || one.order - other.order; });
    found.slice(0, most).forEach(function (hit) {
      var item = document.createElement("li"), link = document.createElement("a"), kind = document.createElement("span");
      link.href = root + hit.entry.page;
      link.textContent = hit.entry.title;
      kind.className = "quiet";
      kind.textContent = " " + hit.entry.kind;
      item.append(link, kind);
      list.appendChild(item);
    });
    told.textContent = found.length + (found.length === 1 ? " find" : " finds") + (found.length > most ? ", the first " + most + " shown" : "");
  }

  input.addEventListener("focus", load);
  input.addEventListener("input", show);
}());
"""
