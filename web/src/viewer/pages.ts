import { find, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { Bar } from "./bar";
import { readSizes, type Size } from "./sizes";
import { wanted, wordLayer } from "./words";

/** How long a picture that is being made is left alone. */
const RETRY_MS = 3000;

/** A document: one sheet a page in a scrolling frame; pictures and words come when a page is near. */
export class Viewer {
  private readonly pages: HTMLElement;
  private readonly sizes: Size[];
  private readonly query: string[];
  private sheets: HTMLElement[] = [];
  private zoom = 1;
  private current = 1;
  private bar!: Bar;

  constructor(private readonly frame: HTMLElement) {
    const pages = find("[data-pages]", frame);
    if (!pages) throw new Error("the viewer has no place for pages");
    this.pages = pages;
    this.sizes = readSizes(frame.dataset["sizes"] ?? "");
    this.query = wanted(frame.dataset["query"] ?? "");
  }

  start(): void {
    const first = this.bounded(Number(this.frame.dataset["page"] ?? 1));
    this.sheets = this.sizes.map((size, at) => sheet(at + 1, size));
    this.pages.replaceChildren(...this.sheets);
    this.bar = new Bar(this.frame, {
      go: (page) => this.go(page),
      step: (by) => this.go(this.current + by),
      zoom: (zoom) => this.zoomTo(zoom),
    });
    this.moments();
    this.watch();
    new ResizeObserver(() => this.measure()).observe(this.pages);
    this.go(first);
  }

  /** Links above the pages to where the query is met need not load the page anew. */
  private moments(): void {
    find("[data-moments]")?.addEventListener("click", (event) => {
      const mouse = event as MouseEvent;
      const link = (event.target as Element).closest<HTMLAnchorElement>("a");
      const page = Number(link ? new URL(link.href).searchParams.get("page") : 0);
      if (page < 1 || mouse.ctrlKey || mouse.metaKey || mouse.shiftKey) return;
      event.preventDefault();
      this.go(page);
      this.frame.scrollIntoView({ block: "nearest" });
    });
  }

  private bounded(page: number): number {
    return Math.min(Math.max(1, Math.round(page) || 1), Math.max(1, this.sizes.length));
  }

  private go(page: number): void {
    const target = this.sheets[this.bounded(page) - 1];
    if (target) this.pages.scrollTop = target.offsetTop - this.pages.offsetTop - 8;
    this.seen(this.bounded(page));
  }

  private seen(page: number): void {
    if (page === this.current && this.bar.shows(page)) return;
    this.current = page;
    this.bar.show(page, this.sizes.length);
    const url = new URL(location.href);
    url.searchParams.set("page", String(page));
    history.replaceState(history.state, "", url);
  }

  private zoomTo(zoom: number): void {
    const { scrollTop, scrollHeight, clientHeight } = this.pages;
    const middle = (scrollTop + clientHeight / 2) / scrollHeight;
    this.zoom = zoom;
    this.pages.style.setProperty("--zoom", String(zoom));
    this.pages.scrollTop = middle * this.pages.scrollHeight - clientHeight / 2;
    this.measure();
    for (const one of this.sheets) {
      const image = find<HTMLImageElement>("img", one);
      if (image) image.sizes = this.width();
    }
  }

  /** The size of words follows from the width of the sheets, which are all equally wide. */
  private measure(): void {
    this.pages.style.setProperty("--sheet-width", `${this.sheets[0]?.clientWidth ?? 0}px`);
  }

  /** The width at which pages are shown, for the choice of picture. */
  private width(): string {
    return `${Math.ceil(Math.min(this.pages.clientWidth, 960) * this.zoom)}px`;
  }

  private watch(): void {
    const near = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.fill(target as HTMLElement);
        else this.empty(target as HTMLElement);
      }
    }, { root: this.pages, rootMargin: "150% 0px" });
    for (const one of this.sheets) near.observe(one);
    let waiting = false;
    this.pages.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        this.seen(this.middle());
      });
    }, { passive: true });
  }

  /** The page across the upper third of the frame; sheets stand in order, so halving finds it. */
  private middle(): number {
    const line = this.pages.scrollTop + this.pages.offsetTop + this.pages.clientHeight / 3;
    let [low, high] = [0, this.sheets.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sheets[middle]?.offsetTop ?? 0) <= line) low = middle + 1;
      else high = middle;
    }
    return this.bounded(low);
  }

  private fill(one: HTMLElement): void {
    if (find("img", one)) return;
    const n = Number(one.dataset["n"]);
    const [width, height] = this.sizes[n - 1] ?? [1, 1];
    const at = (name: "small" | "large") => (this.frame.dataset[name] ?? "").replace("{n}", String(n));
    const image = make("img", { alt: pick(`第 ${n} 页`, `Page ${n}`), decoding: "async", sizes: this.width(), width, height });
    const load = () => {
      image.srcset = `${at("small")} 480w, ${at("large")} 1600w`;
      image.src = at("large");
    };
    image.addEventListener("load", () => one.classList.remove("plain"));
    image.addEventListener("error", () => this.plain(one, image, load));
    load();
    one.append(image);
    const words = this.frame.dataset["words"];
    if (words) void this.layWords(image, words.replace("{n}", String(n)), height / width).catch(() => 0);
  }

  /** A page without a picture is read as text; one whose picture is being made gets it when it is there. */
  private plain(one: HTMLElement, image: HTMLImageElement, load: () => void): void {
    one.classList.add("plain");
    if (!("growing" in this.frame.dataset)) return;
    setTimeout(() => {
      if (!image.isConnected) return;
      image.removeAttribute("srcset");
      load();
    }, RETRY_MS);
  }

  /** A picture that was taken off its sheet in the meantime gets no words. */
  private async layWords(image: HTMLImageElement, url: string, ratio: number): Promise<void> {
    const layer = await wordLayer(url, this.query, ratio);
    if (layer && image.parentElement) image.after(layer);
  }

  /** Pages far away give their memory back, except while a selection runs through them. */
  private empty(one: HTMLElement): void {
    const selection = getSelection();
    if (selection && !selection.isCollapsed && selection.containsNode(one, true)) return;
    one.replaceChildren();
  }
}

function sheet(n: number, [width, height]: Size): HTMLElement {
  const one = make("figure", { className: "sheet" });
  one.dataset["n"] = String(n);
  one.style.setProperty("--shape", `${width} / ${height}`);
  return one;
}
