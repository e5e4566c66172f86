import { find } from "../lib/dom";

const year = 31_536_000;

/** Makes the button that changes between light and dark; the cookie lets the server render it next time. */
export function themeSwitch(): void {
  const button = find<HTMLButtonElement>("[data-theme-switch]");
  if (!button) return;
  button.removeAttribute("data-waits");
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset["theme"] ?? system) === "dark" ? "light" : "dark";
    root.dataset["theme"] = next;
    document.cookie = `theme=${next}; path=/; max-age=${year}; samesite=lax`;
  });
}
