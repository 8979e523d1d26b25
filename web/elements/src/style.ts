/** Colours are custom properties, for pages that have their own. */
export const STYLES = `
:host {
  --good: light-dark(#1a7f37, #4ac26b);
  --bad: light-dark(#cf222e, #ff7b72);
  --busy: light-dark(#0969da, #6cb6ff);
  --waits: light-dark(#9a6700, #d4a72c);
  --quiet: light-dark(#59636e, #9ba5b0);
  --line: light-dark(#d1d9e0, #3d444d);
  --ground: light-dark(#ffffff, #151b23);
  --text: light-dark(#1f2328, #f0f6fc);
  display: block;
  color: var(--sluice-text, var(--text));
  font: 14px/1.45 var(--sluice-font, system-ui, sans-serif);
  container-type: inline-size;
}
:host([theme='light']) { color-scheme: light; }
:host([theme='dark']) { color-scheme: dark; }
:host([hidden]) { display: none; }
.good { --tone: var(--sluice-good, var(--good)); }
.bad { --tone: var(--sluice-bad, var(--bad)); }
.busy { --tone: var(--sluice-busy, var(--busy)); }
.waits { --tone: var(--sluice-waits, var(--waits)); }
.quiet { --tone: var(--sluice-quiet, var(--quiet)); }
.head, .line { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; margin: 0 0 8px; }
.line { margin: 0; }
.head strong, .line strong { font-weight: 600; }
.status { display: inline-flex; gap: 6px; align-items: center; color: var(--tone); font-weight: 600; }
.icon { width: 16px; height: 16px; flex: none; }
.icon circle { fill: none; stroke: currentColor; stroke-width: 1.5; }
.icon path { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
.note { color: var(--sluice-quiet, var(--quiet)); }
.problem { color: var(--sluice-bad, var(--bad)); }
.scroll { overflow: auto; border: 1px solid var(--sluice-line, var(--line)); border-radius: 6px; background: var(--sluice-ground, var(--ground)); }
.graph { display: block; }
.graph text { fill: currentColor; font-size: 13px; }
.graph .name { font-weight: 600; }
.graph .word { fill: var(--tone); font-size: 12px; }
.edge { fill: none; stroke: var(--sluice-line, var(--line)); stroke-width: 2; }
.node { cursor: pointer; outline: none; }
.node rect { fill: var(--sluice-ground, var(--ground)); stroke: var(--tone); stroke-width: 1.5; }
.node .mark circle, .node .mark path { fill: none; stroke: var(--tone); stroke-width: 1.5; stroke-linecap: round; }
.node:focus-visible rect, .node:hover rect { stroke-width: 3; }
ul { list-style: none; margin: 0; padding: 0; }
.list button.row { display: flex; gap: 12px; width: 100%; min-height: 32px; align-items: center; justify-content: space-between; text-align: start; border: 0; border-bottom: 1px solid var(--sluice-line, var(--line)); padding: 6px 10px; background: none; color: inherit; font: inherit; cursor: pointer; }
.waiting { margin-top: 10px; }
.waiting li { padding: 4px 0; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; }
.act { min-height: 28px; border: 1px solid var(--sluice-line, var(--line)); border-radius: 6px; padding: 2px 12px; background: var(--sluice-ground, var(--ground)); color: inherit; font: inherit; cursor: pointer; }
.act:disabled { cursor: not-allowed; opacity: 0.6; }
button:focus-visible { outline: 2px solid var(--sluice-busy, var(--busy)); outline-offset: 1px; }
@media (forced-colors: active) { .node rect { stroke: CanvasText; } .status, .graph .word { color: CanvasText; fill: CanvasText; } }
`;
