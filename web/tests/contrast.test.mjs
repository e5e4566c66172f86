// The colours that libraries choose, and those of the elder mode: contrast by WCAG 2.2, from the files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const style = (name) => readFileSync(new URL(`../src/style/${name}.css`, import.meta.url), "utf8");

/** The variables of the first rule whose selector is exactly `selector`, or has it among others. */
function variables(css, selector) {
  for (const [, selectors, body] of css.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (!selectors.replace(/\/\*[^]*?\*\//g, "").split(",").map((one) => one.trim()).includes(selector)) continue;
    return Object.fromEntries([...body.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
  }
  throw new Error(`no rule for ${selector}`);
}

/** Relative luminance of a colour `#rrggbb`. */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** What stands on what. */
const pairs = [
  ["ink", "paper"], ["ink", "card"], ["soft", "paper"], ["soft", "card"], ["accent", "paper"], ["accent", "card"],
  ["accent", "accent-soft"], ["ink", "accent-soft"], ["on-accent", "accent"], ["on-accent", "accent-deep"],
];

function check(name, colours, least) {
  for (const [front, ground] of pairs) {
    const found = contrast(colours[front], colours[ground]);
    assert.ok(found >= least, `${name}: ${front} on ${ground} is ${found.toFixed(2)}:1`);
  }
}

const tokens = style("tokens");
const schemes = { light: variables(tokens, ":root"), dark: variables(tokens, ':root[data-theme="dark"]') };
const names = ["vermilion", "ochre", "pine", "sea", "indigo", "plum", "slate"];

test("every colour of a library can be read, light and dark", () => {
  const looks = style("looks");
  for (const name of names) {
    check(`${name}, light`, { ...schemes.light, ...variables(looks, `[data-colour="${name}"]`) }, 4.5);
    const dark = variables(looks, `:root[data-theme="dark"][data-colour="${name}"]`);
    check(`${name}, dark`, { ...schemes.dark, ...dark }, 4.5);
    assert.deepEqual(variables(looks, `:root:not([data-theme])[data-colour="${name}"]`), dark, `${name} of a dark system`);
  }
});

test("the elder mode has the strong contrast of 7:1", () => {
  const elder = style("elder");
  check("elder, light", { ...schemes.light, ...variables(elder, ":root[data-elder]") }, 7);
  const dark = variables(elder, ':root[data-theme="dark"][data-elder]');
  check("elder, dark", { ...schemes.dark, ...dark }, 7);
  assert.deepEqual(variables(elder, ":root:not([data-theme])[data-elder]"), dark);
});
