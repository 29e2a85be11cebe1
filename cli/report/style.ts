// How a report looks, in light and dark, on a desk and in a hand.

export const style = `
:root {
  --ground: #fff; --raised: #f7f8fa; --line: #e2e5ea; --text: #1c2026; --quiet: #646c79;
  --accent: #2c63d6; --good: #17713a; --good-ground: #e3f4e8; --bad: #b3261e; --bad-ground: #fce8e6;
  --data: #e8f0fe; --data-line: #5b8def; --model: #fdf3d8; --model-line: #c58f00;
  --s0: #2c63d6; --s1: #d9730d; --s2: #17855a; --s3: #9b51b8; --s4: #b08900; --s5: #c2407b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1b1f26; --line: #2e343e; --text: #e4e7ec; --quiet: #98a1b0;
    --accent: #7fa9ff; --good: #7bd699; --good-ground: #16341f; --bad: #ff8f86; --bad-ground: #43201d;
    --data: #1b2a45; --data-line: #5b8def; --model: #37300f; --model-line: #c9a227;
    --s0: #7fa9ff; --s1: #ffa657; --s2: #6bd3a4; --s3: #d49bec; --s4: #e3c454; --s5: #f28ab5;
  }
}
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--text); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 44px 0 14px; }
h3 { font-size: 16px; margin: 0 0 4px; overflow-wrap: anywhere; }
h3 .quiet { font-weight: normal; font-size: 14px; margin-left: 6px; }
section > h3 { margin: 18px 0 8px; }
p { margin: 6px 0; }
.doc { max-width: 78ch; }
.quiet, .facts, footer { color: var(--quiet); }
.facts { font-size: 14px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre, .number { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px; }
code { overflow-wrap: anywhere; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; overflow-x: auto; line-height: 1.45; margin: 8px 0; }
.badge { display: inline-block; font-size: 12.5px; line-height: 1; padding: 4px 8px; border-radius: 999px; background: var(--raised); border: 1px solid var(--line); color: var(--quiet); white-space: nowrap; }
.badge.good { background: var(--good-ground); border-color: transparent; color: var(--good); }
.badge.bad { background: var(--bad-ground); border-color: transparent; color: var(--bad); }
.scroll { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; font-size: 13px; }
tbody tr:last-child td { border-bottom: 0; }
table.metrics td:nth-child(2), table.flat .number { text-align: right; }
table { font-size: 14px; }
td:first-child code { overflow-wrap: normal; white-space: nowrap; }
td:nth-child(2) { min-width: 7em; }
table.metrics { width: auto; }
table.flat { width: auto; }
table.flat td, table.flat th { padding-right: 26px; }
article { border: 1px solid var(--line); border-left: 3px solid var(--quiet); border-radius: 8px; padding: 16px 18px; margin: 14px 0; scroll-margin-top: 12px; }
article.dataset { border-left-color: var(--data-line); }
article.model { border-left-color: var(--model-line); }
article.stage { border-left-color: var(--accent); }
article:target { box-shadow: 0 0 0 2px var(--accent); }
details { margin-top: 8px; }
summary { cursor: pointer; color: var(--quiet); font-size: 14px; }
summary:hover { color: var(--text); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(310px, 100%), 1fr)); gap: 12px; margin: 12px 0; }
.figure { max-width: 640px; }
.card { background: var(--raised); border-radius: 8px; padding: 10px 14px; margin: 8px 0; display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 16px; }
dt { color: var(--quiet); font-size: 13px; padding-top: 1px; }
dd { margin: 0; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; }
ol { margin: 0; padding-left: 22px; }
li { margin: 2px 0; }
li .badge { min-width: 34px; text-align: center; padding: 2px 6px; }
footer { margin-top: 48px; font-size: 13px; overflow-wrap: anywhere; }
svg { display: block; }
svg text { fill: var(--quiet); font: 11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.plot { width: 100%; height: auto; }
.plot .title { fill: var(--text); font-weight: 600; font-size: 12.5px; }
.plot .legend { text-anchor: end; }
.tick.x { text-anchor: middle; }
.tick.y { text-anchor: end; }
svg .grid { stroke: var(--line); fill: none; }
svg .axis { stroke: var(--quiet); stroke-opacity: 0.6; fill: none; }
.plot .dot { fill: var(--ground); stroke-width: 1.8; }
.plot .line, .plot .raw { fill: none; stroke-linejoin: round; stroke-width: 1.8; }
.plot .raw { stroke-width: 1; stroke-opacity: 0.3; }
.series-0 { stroke: var(--s0); } .series-1 { stroke: var(--s1); } .series-2 { stroke: var(--s2); } .series-3 { stroke: var(--s3); } .series-4 { stroke: var(--s4); } .series-5 { stroke: var(--s5); }
.timeline { width: 100%; min-width: 560px; height: auto; }
.timeline .name { text-anchor: end; fill: var(--text); }
.timeline .bar { fill: var(--accent); fill-opacity: 0.75; }
.timeline .bar.failed { fill: var(--bad); }
.graph { margin: 0 auto; }
.graph text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; text-anchor: middle; }
.graph text.name { font-weight: bold; fill: var(--text); }
.graph rect { fill: var(--raised); stroke: var(--quiet); }
.graph .dataset rect { fill: var(--data); stroke: var(--data-line); }
.graph .model rect { fill: var(--model); stroke: var(--model-line); }
.graph path { fill: none; stroke: var(--quiet); marker-end: url(#tip); }
.graph path.tip { fill: var(--quiet); stroke: none; marker-end: none; }
@media (max-width: 600px) {
  main { padding: 20px 14px 48px; }
  h1 { font-size: 25px; }
  article { padding: 12px; }
  .card { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dt { padding-top: 6px; }
  pre { font-size: 12px; }
}
`;
