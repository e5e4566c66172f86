import { all } from "../lib/dom";

/** Where each key leads: right, down. */
const ways: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

/** What keeps its arrows: it scrolls, plays, turns pages or chooses with them. */
const own = "textarea, select, iframe, [contenteditable], [role=menu], [role=listbox], [role=slider], .viewer, .book, input:not([type=search])";

/**
 * Arrow keys lead from tile to tile. On a television, which has neither mouse nor touch, they do so on
 * the whole page; elsewhere only once the focus is in a grid, so that the keys scroll as ever.
 */
export function arrows(): void {
  const far = matchMedia("(hover: none) and (pointer: none), (hover: none) and (min-width: 75rem)");
  document.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const from = document.activeElement ?? document.body;
    // In a player left and right wind; up and down lead out of it.
    const player = from.closest(".player-box");
    if (from.closest(own) || (player && way[0] !== 0) || document.fullscreenElement) return;
    // In a search box left and right move in the text.
    if (from instanceof HTMLInputElement && (way[0] !== 0 || !far.matches)) return;
    if (!far.matches && !from.closest("[data-grid]")) return;
    const next = nearest(player ?? from, way);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    shape(next).scrollIntoView({ block: "center", inline: "nearest" });
  });
}

/** The whole card of a link in it. */
function shape(element: Element): Element {
  return element.closest(".tile, .library-tile") ?? element;
}

/** What can take the focus and is nearest that way; the first thing in view where nothing has it. */
function nearest(from: Element, [right, down]: readonly [number, number]): HTMLElement | null {
  const candidates = all("a[href], button, summary, input, select, textarea").filter((one) => {
    const box = one.getBoundingClientRect();
    return one !== from && one.tabIndex >= 0 && box.width > 1 && box.height > 1 && !one.closest(".unseen, .skip");
  });
  if (from === document.body || from.tagName === "MAIN") {
    const inside = candidates.filter((one) => one.closest("main"));
    return inside.find((one) => one.getBoundingClientRect().top >= 0) ?? inside[0] ?? null;
  }
  const here = shape(from).getBoundingClientRect();
  let best: HTMLElement | null = null;
  let least = Infinity;
  for (const one of candidates) {
    const there = shape(one).getBoundingClientRect();
    if (shape(one) === shape(from) || from.contains(one)) continue;
    const ahead = right !== 0
      ? (right > 0 ? there.left - here.right : here.left - there.right)
      : (down > 0 ? there.top - here.bottom : here.top - there.bottom);
    if (ahead < -4) continue;
    const aside = right !== 0 ? apart(here.top, here.bottom, there.top, there.bottom) : apart(here.left, here.right, there.left, there.right);
    // Left and right stay in their row.
    if (right !== 0 && aside > 0) continue;
    const far = Math.max(ahead, 0) + 2 * aside;
    if (far < least) [best, least] = [one, far];
  }
  return best;
}

/** How far two stretches are from each other; none where they overlap. */
function apart(from: number, to: number, other_from: number, other_to: number): number {
  return Math.max(other_from - to, from - other_to, 0);
}
