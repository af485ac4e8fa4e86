"""The style of the page: light and dark, 400 pixels to wide, nothing that is loaded from anywhere."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6673; --line: #d5dbe1; --paper: #fff; --ground: #f4f6f8;
  --accent: #0b62a4; --fill: #cfe3f4; --warn: #8a1f11; --ok: #1a6b3c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf0; --soft: #a3afba; --line: #3a4551; --paper: #1b222a; --ground: #12171d;
    --accent: #7cc0f5; --fill: #1f4667; --warn: #ffab9c; --ok: #8fd9ab; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 76rem;
  margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .25rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0; max-width: 60rem; } .soft { color: var(--soft); } a { color: var(--accent); }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
td code { overflow-wrap: normal; white-space: nowrap; color: var(--soft); }
.clock { font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: .75rem; }
.cards + .wide { margin-top: .75rem; }
.row { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin-top: .5rem; }
.between { display: flex; gap: .5rem; justify-content: space-between; align-items: baseline; }
.state { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; white-space: nowrap; }
.state-live, .state-Completed { color: var(--ok); border-color: currentColor; }
.state-paused, .state-Failed { color: var(--warn); border-color: currentColor; }
.wide { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
tr:last-child td { border-bottom: 0; } th { color: var(--soft); font-weight: 600; } .number { text-align: right; }
.words { display: inline-block; white-space: normal; min-width: 9rem; max-width: 22rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .75rem; margin: .5rem 0 0; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; margin-top: .5rem; } svg text { fill: var(--soft); font-size: 11px; }
svg .axis { stroke: var(--line); } svg .goal { stroke: var(--soft); stroke-dasharray: 4 3; }
svg .line { stroke: var(--accent); stroke-width: 2; fill: none; } svg .area { fill: var(--fill); }
button, input, select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  border-radius: .3rem; padding: .25rem .6rem; max-width: 100%; }
button { cursor: pointer; white-space: nowrap; } button:hover { border-color: var(--accent); color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
form { margin: 0; } fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: .75rem 0; min-width: 0; }
fieldset.row { align-items: end; }
summary { cursor: pointer; font-size: 1.2rem; font-weight: 600; margin: 2rem 0 .25rem; }
.lessons { display: grid; gap: .5rem; margin: .5rem 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr)); }
.lessons li { display: flex; gap: .75rem; justify-content: space-between; align-items: start; }
.armed { border-color: var(--accent); } .field { display: flex; flex-direction: column; min-width: 9rem; }
.problem { border-left: .3rem solid var(--warn); padding: .25rem .7rem; background: var(--paper); }
@media (max-width: 30rem) { body { padding: .6rem; } th, td { padding: .3rem .5rem; } }
"""
