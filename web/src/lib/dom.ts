/** The first element that matches, or null. */
export function find<T extends Element = HTMLElement>(selector: string, under: ParentNode = document): T | null {
  return under.querySelector<T>(selector);
}

/** All elements that match. */
export function all<T extends Element = HTMLElement>(selector: string, under: ParentNode = document): T[] {
  return [...under.querySelectorAll<T>(selector)];
}

/** A new element with properties and children; text children are text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** The value of a form's hidden proof against foreign posts; empty when nobody is signed in. */
export function csrf(): string {
  return find<HTMLInputElement>('input[name="csrf"]')?.value ?? "";
}

/** Scrolls `item` into the middle of `list` without moving the page. */
export function centre(list: HTMLElement, item: HTMLElement): void {
  const top = item.offsetTop - list.clientHeight / 2 + item.offsetHeight / 2;
  const left = item.offsetLeft - list.clientWidth / 2 + item.offsetWidth / 2;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  list.scrollTo({ top, left, behavior: calm ? "auto" : "smooth" });
}
