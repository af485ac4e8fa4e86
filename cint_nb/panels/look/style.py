"""The look of the panels: one style sheet on the notebook's own colours, light and dark."""

from __future__ import annotations

import ipywidgets as widgets

from cint_nb.panels.look.static_html import HIDE_STATIC_STYLE

_SHEET = """
.cint-panel, .cint-static {
  --cint-ink: var(--jp-ui-font-color1, var(--vscode-foreground, #1f2328));
  --cint-soft: var(--jp-ui-font-color2, var(--vscode-descriptionForeground, #59636e));
  --cint-paper: var(--jp-layout-color1, var(--vscode-editor-background, #fff));
  --cint-shade: var(--jp-layout-color2, var(--vscode-editorWidget-background, #f3f4f6));
  --cint-rule: var(--jp-border-color2, var(--vscode-panel-border, #d5d9de));
  --cint-busy: #0b5cad; --cint-good: #1a6b35; --cint-part: #8a5300; --cint-bad: #b3261e; --cint-calm: #59636e;
  --cint-play: #5b3fa8; --cint-mark: #fff3c4; --cint-soft: #59636e; --cint-edge: rgba(0, 0, 0, .22);
  color: var(--cint-ink);
}
body[data-jp-theme-light="false"] .cint-panel, body.vscode-dark .cint-panel, body[data-theme="dark"] .cint-panel {
  --cint-busy: #79b8ff; --cint-good: #7bd88f; --cint-part: #f0b45a; --cint-bad: #ff9a90; --cint-calm: #b3bac2;
  --cint-play: #c3adff; --cint-mark: #4a3f12; --cint-soft: #b3bac2; --cint-edge: rgba(255, 255, 255, .28);
}
.cint-panel {
  box-sizing: border-box; width: 100%; max-width: 900px; min-width: 0; padding: 12px 14px 10px; overflow: hidden;
  border: 1px solid var(--cint-rule); border-radius: 6px; background: var(--cint-paper);
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: 13px;
}
.cint-panel .widget-html, .cint-panel .widget-html-content { min-width: 0; }
.cint-panel .widget-html { width: 100%; margin: 0; height: auto; flex: 0 0 auto; }
.cint-buttons:empty { display: none; }
.cint-panel .widget-html-content { line-height: 1.5; font-size: 13px; color: var(--cint-ink); width: 100%; }
.cint-panel .cint-style, .cint-panel .cint-empty { display: none; }
.cint-panel .widget-box { overflow: visible; }
.cint-head { display: flex; align-items: center; gap: 10px; flex-wrap: wrap; margin-bottom: 6px; }
.cint-title { font-weight: 600; font-size: 14px; overflow-wrap: anywhere; }
.cint-badge {
  display: inline-block; border-radius: 10px; padding: 0 8px; font-size: 11px; line-height: 18px; font-weight: 600;
  letter-spacing: .03em; border: 1px solid currentColor;
}
.cint-badge-sandbox { color: var(--cint-busy); }
.cint-badge-replay { color: var(--cint-play); }
.cint-badge-live { color: #fff; background: #b3261e; border-color: #b3261e; }
.cint-status { display: flex; align-items: baseline; gap: 8px; flex-wrap: wrap; }
.cint-word { font-weight: 600; white-space: nowrap; }
.cint-icon { display: inline-block; width: 1.25em; margin-right: 4px; text-align: center; }
.cint-busy {
  color: var(--cint-busy); } .cint-good { color: var(--cint-good); } .cint-part { color: var(--cint-part);
}
.cint-bad { color: var(--cint-bad); } .cint-calm { color: var(--cint-calm); }
.cint-soft { color: var(--cint-soft); }
.cint-number { font-variant-numeric: tabular-nums; }
.cint-facts { color: var(--cint-soft); font-variant-numeric: tabular-nums; margin-top: 2px; }
.cint-facts span + span::before { content: "·"; margin: 0 7px; }
.cint-due {
  height: 2px; margin-top: 4px; border-radius: 1px; background: var(--cint-busy); opacity: .6;
  transform-origin: left; animation: cint-due linear forwards;
}
@keyframes cint-due { from { transform: scaleX(0); } to { transform: scaleX(1); } }
.cint-bar-row { display: flex; align-items: center; gap: 10px; margin: 4px 0 6px; }
.cint-bar {
  flex: 1 1 auto; display: flex; height: 10px; min-width: 80px; border-radius: 5px; overflow: hidden;
  background: var(--cint-shade); box-shadow: inset 0 0 0 1px var(--cint-rule);
}
.cint-fill { background: currentColor; }
.cint-maybe {
  background: repeating-linear-gradient(135deg, currentColor 0 3px, transparent 3px 7px); opacity: .75;
}
.cint-progress-text { flex: 0 0 auto; width: 156px; text-align: right; font-variant-numeric: tabular-nums; }
.cint-quote {
  margin: 4px 0 0; padding: 2px 0 2px 10px; border-left: 3px solid var(--cint-rule); overflow-wrap: anywhere;
}
.cint-panel code, .cint-static code {
  font-family: var(--jp-code-font-family, monospace); font-size: 12px; background: var(--cint-shade);
  color: var(--cint-ink); padding: 1px 5px; border-radius: 3px; overflow-wrap: anywhere;
}
.cint-error {
  margin-top: 6px; padding: 6px 10px; border-left: 3px solid var(--cint-bad); white-space: pre-line;
  overflow-wrap: anywhere;
}
.cint-buttons { margin-top: 6px; flex-flow: row wrap; gap: 6px; }
.cint-panel .jupyter-button { width: auto; padding: 0 12px; margin: 0; border-radius: 4px; }
.cint-panel .jupyter-button:focus-visible { outline: 2px solid var(--cint-busy); outline-offset: 1px; }
.cint-scroll { overflow-x: auto; max-width: 100%; }
.cint-scroll, .cint-panel .cint-table-part { /* a shadow at the edge behind which there is more */
  background:
    linear-gradient(to right, var(--cint-paper) 40%, transparent) left / 32px 100% no-repeat local,
    linear-gradient(to left, var(--cint-paper) 40%, transparent) right / 32px 100% no-repeat local,
    linear-gradient(to right, var(--cint-edge), transparent) left / 12px 100% no-repeat scroll,
    linear-gradient(to left, var(--cint-edge), transparent) right / 12px 100% no-repeat scroll;
}
.cint-scroll:focus-visible { outline: 2px solid var(--cint-busy); }
.cint-panel table.cint-table {
  border-collapse: separate; border-spacing: 0; margin: 4px 0; width: 100%; border: 0;
  font-size: 12.5px; font-variant-numeric: tabular-nums; color: var(--cint-ink);
}
.cint-status-table { max-width: none; }
.cint-status-table table.cint-table { width: auto; min-width: 100%; }
.cint-panel table.cint-table :is(th, td) {
  padding: 5px 10px; text-align: left; vertical-align: top; border: 0; border-bottom: 1px solid var(--cint-rule);
  background: none; white-space: normal; max-width: 26em; line-height: 1.4;
}
.cint-panel table.cint-table th { color: var(--cint-soft); font-weight: 600; white-space: nowrap; }
.cint-panel table.cint-table tbody tr:last-child :is(th, td) { border-bottom: 0; }
.cint-panel table.cint-table :is(th, td).cint-right { text-align: right; white-space: nowrap; }
.cint-panel table.cint-table td.cint-changed { background: var(--cint-mark); }
.cint-panel table.cint-table tr:hover td { background: var(--cint-shade); }
.cint-panel table.cint-table caption {
  text-align: left; caption-side: bottom; padding: 6px 0 0; color: var(--cint-soft);
}
.cint-panel .cint-row { flex-flow: row wrap; align-items: center; gap: 4px 10px; margin: 2px 0; }
.cint-row .cint-hint-part { flex: 1 1 240px; width: auto; }
.cint-panel .cint-files { width: min(460px, 100%); margin: 0; }
.cint-panel .cint-columns { width: min(460px, 100%); margin: 4px 0; }
.cint-panel .cint-entity { width: 100%; height: auto; margin: 4px 0; flex-flow: row wrap; }
.cint-panel .cint-entity .jupyter-button { margin: 0 6px 4px 0; }
.cint-panel .jupyter-button.mod-active { box-shadow: inset 0 0 0 2px var(--cint-busy); font-weight: 600; }
.cint-panel .widget-label { color: var(--cint-ink); width: 124px; text-align: left; }
.cint-panel .cint-upload { font-size: 0; } /* the widget adds the number of files it holds, which is always 0 here */
.cint-panel .cint-upload i { font-size: 13px; }
.cint-panel .cint-upload::after { content: " Choose a file…" / ""; font-size: 13px; }
.cint-file-name { font-weight: 600; margin-top: 6px; overflow-wrap: anywhere; }
.cint-shares { margin: 6px 0; gap: 2px; background: none; box-shadow: none; }
.cint-share { background: currentColor; flex-basis: 0; min-width: 3px; border-radius: 2px; }
.cint-share-duplicate, .cint-share-blank, .cint-share-header, .cint-share-hidden { opacity: .55; }
.cint-panel :is(.cint-numbers, .cint-hints, .cint-warnings) { list-style: none; margin: 2px 0; padding: 0; }
.cint-panel .cint-numbers { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.cint-numbers b { font-variant-numeric: tabular-nums; }
.cint-code { margin-top: 6px; }
.cint-panel .cint-code pre { margin: 2px 0 0; overflow-x: auto; background: none; }
.cint-panel .cint-code pre code { display: block; padding: 6px 10px; white-space: pre; }
.cint-hint summary { cursor: pointer; color: var(--cint-soft); }
.cint-mini {
  display: block; height: 3px; min-width: 40px; margin-top: 2px; border-radius: 2px; background: var(--cint-shade);
  text-align: left;
}
.cint-mini span { display: block; height: 3px; border-radius: 2px; background: var(--cint-good); }
.cint-spark { vertical-align: middle; color: var(--cint-busy); }
.cint-panel .cint-table-part { overflow: auto; max-height: 440px; position: relative; }
.cint-panel.cint-findings-table .cint-table-part { max-height: 900px; }
.cint-panel .cint-table-part:focus-visible { outline: 2px solid var(--cint-busy); outline-offset: -2px; }
.cint-table-part thead th { position: sticky; top: 0; z-index: 1; background: var(--cint-paper) !important; }
.cint-panel.cint-status-table table.cint-table :is(th, td) { padding: 5px 6px; }
.cint-panel.cint-status-table table.cint-table th { white-space: normal; }
.cint-panel.cint-status-table table.cint-table td.cint-sentences { min-width: 15em; }
.cint-status-table .cint-table-part :is(td, th):first-child {
  position: sticky; left: 0; z-index: 1; background: var(--cint-paper) !important;
}
.cint-status-table .cint-table-part thead th:first-child { z-index: 2; }
.cint-panel .cint-steps { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; margin: 2px 0 8px; padding: 0; }
.cint-step {
  flex: 1 1 88px; display: flex; flex-direction: column; padding: 4px 8px; border-radius: 4px;
  border-top: 3px solid var(--cint-rule); background: var(--cint-shade); font-size: 12px; line-height: 1.45;
}
.cint-step-done { border-top-color: var(--cint-good); } .cint-step-failed { border-top-color: var(--cint-bad); }
.cint-step:is(.cint-step-now, .cint-step-running) { border-top-color: var(--cint-busy); }
.cint-next { line-height: 1.7; }
.cint-inside .cint-panel { margin-top: 10px; max-width: none; }
.cint-panel .cint-controls { margin-top: 6px; padding-top: 6px; border-top: 1px solid var(--cint-rule); }
.cint-panel :is(.cint-sort, .cint-words) { width: 240px; }
.cint-panel :is(.cint-sort, .cint-words) .widget-label { width: auto; margin-right: 4px; }
.cint-panel table.cint-table code { white-space: nowrap; }
.cint-panel.cint-findings-table td:nth-child(n + 3) { min-width: 140px; }
.cint-panel table.cint-table td .cint-word { white-space: normal; overflow-wrap: break-word; }
.cint-panel .cint-columns-part { flex-flow: row wrap; gap: 0 14px; margin: 4px 0; }
.cint-panel .cint-columns-part .widget-checkbox { width: auto; min-width: 130px; margin: 0; }
.cint-panel .cint-every { width: 150px; } .cint-panel .cint-every .widget-label { width: auto; }
.cint-panel .cint-copy { align-self: flex-start; }
.cint-panel .cint-tabbed { width: 100%; } .cint-tabbed textarea { font-family: var(--jp-code-font-family, monospace); }
.cint-hidden-text {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
@media (prefers-reduced-motion: reduce) { .cint-due { display: none; } }
@media (max-width: 480px) { .cint-panel { padding: 10px; } .cint-progress-text { width: auto; } }
"""


_style_widgets: list[widgets.HTML] = []


def style_sheet() -> widgets.HTML:
    """Return the one widget that carries the style sheet; every panel shows it. One that was closed is made anew."""
    if not _style_widgets or _style_widgets[0].comm is None:
        sheet = widgets.HTML(f"<style>{_SHEET}{HIDE_STATIC_STYLE}</style>")
        sheet.add_class("cint-style")
        _style_widgets[:] = [sheet]
    return _style_widgets[0]
