import { all, find } from "../lib/dom";

/** Menus are `details`: they open without scripts; here they close on Escape and on clicks elsewhere. */
export function closeMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target as Node)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      find("summary", menu)?.focus();
    }
  });
}

function open(): HTMLDetailsElement[] {
  return all<HTMLDetailsElement>("details[data-menu][open]");
}
