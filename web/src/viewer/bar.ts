import { all, find } from "../lib/dom";

/** What the bar asks of the viewer. */
interface Wishes {
  go(page: number): void;
  step(by: number): void;
  zoom(zoom: number): void;
}

const zooms = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4];

/** The bar above the pages, and the table of contents beside them. */
export class Bar {
  private readonly number: HTMLInputElement | null;
  private readonly steps: HTMLAnchorElement[];
  private readonly contents: HTMLAnchorElement[];
  private page = 1;

  constructor(private readonly frame: HTMLElement, private readonly wishes: Wishes) {
    this.number = find<HTMLInputElement>(".page-jump input", frame);
    this.steps = all<HTMLAnchorElement>("a[data-step]", frame);
    this.contents = all<HTMLAnchorElement>("[data-outline-panel] a", frame);
    this.jump();
    this.zoom();
    this.outline();
    this.fullscreen();
  }

  /** The number of the page in the field, unless somebody is typing there. */
  shows(page: number): boolean {
    return this.number?.value === String(page);
  }

  show(page: number, total: number): void {
    this.page = page;
    if (this.number && document.activeElement !== this.number) this.number.value = String(page);
    for (const step of this.steps) {
      const out = step.dataset["step"] === "-1" ? page <= 1 : page >= total;
      if (out) step.setAttribute("aria-disabled", "true");
      else step.removeAttribute("aria-disabled");
    }
    let now: HTMLAnchorElement | undefined;
    for (const link of this.contents) {
      link.classList.remove("now");
      if (Number(link.dataset["page"]) <= page) now = link;
    }
    now?.classList.add("now");
  }

  private jump(): void {
    const form = find<HTMLFormElement>(".page-jump", this.frame);
    const go = () => {
      const page = Number(this.number?.value);
      if (page >= 1) this.wishes.go(page);
      else if (this.number) this.number.value = String(this.page);
    };
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      go();
    });
    this.number?.addEventListener("change", go);
    for (const step of this.steps) {
      step.href = "#";
      step.setAttribute("role", "button");
      step.addEventListener("click", (event) => {
        event.preventDefault();
        this.wishes.step(Number(step.dataset["step"]));
      });
      step.addEventListener("keydown", (event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        step.click();
      });
    }
  }

  private zoom(): void {
    const group = find("[data-zoom]", this.frame);
    if (!group) return;
    group.removeAttribute("data-waits");
    let at = zooms.indexOf(1);
    for (const button of all("button", group)) {
      button.addEventListener("click", () => {
        at = Math.min(Math.max(0, at + Number(button.dataset["by"])), zooms.length - 1);
        const zoom = zooms[at] ?? 1;
        const output = find("output", group);
        if (output) output.textContent = `${Math.round(zoom * 100)}%`;
        this.wishes.zoom(zoom);
      });
    }
  }

  private outline(): void {
    const button = find<HTMLButtonElement>("button[data-outline]", this.frame);
    const panel = find("[data-outline-panel]", this.frame);
    if (!button || !panel) return;
    button.removeAttribute("data-waits");
    // Wide screens show it unless it was closed, narrow ones when it was opened: the stylesheet's choice.
    const shown = () => getComputedStyle(panel).display !== "none";
    const open = (wanted: boolean) => {
      panel.classList.toggle("open", wanted);
      panel.classList.toggle("closed", !wanted);
      button.setAttribute("aria-expanded", String(wanted));
    };
    button.setAttribute("aria-expanded", String(shown()));
    button.addEventListener("click", () => open(!shown()));
    panel.addEventListener("click", (event) => {
      const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-page]");
      if (!link) return;
      event.preventDefault();
      if (this.frame.clientWidth < 700) open(false);
      this.wishes.go(Number(link.dataset["page"]));
    });
  }

  private fullscreen(): void {
    const button = find<HTMLButtonElement>("[data-fullscreen]", this.frame);
    if (!button || !document.fullscreenEnabled) return;
    button.removeAttribute("data-waits");
    button.addEventListener("click", () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void this.frame.requestFullscreen();
    });
  }
}
