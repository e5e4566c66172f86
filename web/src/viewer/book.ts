import { all, find } from "../lib/dom";
import { keep, recall } from "../lib/store";
import { markWords } from "./marks";
import { wanted } from "./words";

/** Sizes of text that can be chosen, as shares of the usual one. */
const SIZES = [0.8, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2];
const SIZE_KEY = "duoku-text-size";

/** Where the reader is in a book: the chapter, and how much of it is above the window, 0 to 1. */
interface Place {
  chapter: number;
  share: number;
}

/**
 * A book: one chapter in a frame as high as its text, so that the page itself scrolls. Nothing runs
 * in the frame; words are marked, links followed and the size chosen from here.
 */
export class Book {
  private readonly page: HTMLIFrameElement;
  private readonly chapter: number;
  private readonly query: string;
  private readonly key: string;

  constructor(private readonly frame: HTMLElement) {
    const page = find<HTMLIFrameElement>("[data-book-page]", frame);
    if (!page) throw new Error("the book has no page");
    this.page = page;
    this.chapter = Number(frame.dataset["chapter"] ?? 1);
    this.query = frame.dataset["query"] ?? "";
    this.key = `duoku-book-${frame.dataset["book"] ?? ""}`;
  }

  start(): void {
    const place = this.place();
    if (!("asked" in this.frame.dataset) && !this.query && place && place.chapter !== this.chapter) {
      location.replace(this.address(String(place.chapter)));
      return;
    }
    this.sizes();
    this.keys();
    this.page.addEventListener("load", () => this.laid());
    if (this.document()?.readyState === "complete") this.laid();
    addEventListener("scroll", () => this.remember(), { passive: true });
  }

  /** The chapter; null while it is not there. */
  private document(): Document | null {
    const inside = this.page.contentDocument;
    return inside && find("main", inside) ? inside : null;
  }

  private laid(): void {
    const inside = this.document();
    if (!inside || inside.documentElement.dataset["laid"]) return;
    inside.documentElement.dataset["laid"] = "yes";
    this.theme(inside);
    new MutationObserver(() => this.theme(inside)).observe(document.documentElement, { attributes: true });
    this.resize(this.size());
    const first = markWords(inside, wanted(this.query));
    inside.addEventListener("click", (event) => this.follow(event));
    const fit = () => {
      this.page.style.height = `${Math.ceil(find("main", inside)?.getBoundingClientRect().height ?? 0)}px`;
    };
    fit();
    new ResizeObserver(fit).observe(find("main", inside) ?? inside.body);
    this.frame.classList.add("laid");
    this.open(inside, first);
  }

  /** Goes to the anchor or the first marked word; else to where the reader was. */
  private open(inside: Document, first: Element | null): void {
    const anchor = decodeURIComponent(new URL(this.page.src).hash.slice(1));
    const target = anchor ? inside.getElementById(anchor) : first;
    const place = this.place();
    if (target) this.show(target);
    else if (place?.chapter === this.chapter && place.share > 0) {
      scrollTo({ top: this.top() + place.share * this.page.offsetHeight });
    } else if ("asked" in this.frame.dataset && !this.query) {
      this.frame.scrollIntoView({ block: "start" });
    }
    this.remember();
  }

  private show(target: Element): void {
    scrollTo({ top: this.top() + target.getBoundingClientRect().top - innerHeight / 4 });
  }

  /** Where the frame begins on the page. */
  private top(): number {
    return this.page.getBoundingClientRect().top + scrollY;
  }

  private remember(): void {
    const share = (scrollY - this.top()) / Math.max(1, this.page.offsetHeight);
    const bounded = Math.min(1, Math.max(0, share));
    keep(this.key, JSON.stringify({ chapter: this.chapter, share: Math.round(bounded * 10000) / 10000 }));
  }

  private place(): Place | null {
    try {
      const { chapter, share } = JSON.parse(recall(this.key) ?? "") as Place;
      const total = Number(this.frame.dataset["total"] ?? 1);
      return chapter >= 1 && chapter <= total && Number.isFinite(share) ? { chapter, share } : null;
    } catch {
      return null;
    }
  }

  private address(chapter: string, anchor = ""): string {
    const url = new URL(location.href);
    url.searchParams.set("chapter", chapter);
    if (anchor) url.searchParams.set("at", anchor);
    else url.searchParams.delete("at");
    return url.href;
  }

  /** Links in the chapter: to a place in it, to another chapter, or elsewhere, in a window of its own. */
  private follow(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[href]");
    if (!link) return;
    event.preventDefault();
    const to = link.getAttribute("href") ?? "";
    const chapter = /^(\d+)\.html(?:#(.*))?$/.exec(to);
    if (to.startsWith("#")) {
      const target = link.ownerDocument.getElementById(decodeURIComponent(to.slice(1)));
      if (target) this.show(target);
    } else if (chapter) location.assign(this.address(chapter[1] ?? "1", decodeURIComponent(chapter[2] ?? "")));
    else if (/^https?:/.test(to)) open(link.href, "_blank", "noopener,noreferrer");
  }

  /** The arrow keys turn chapters, in the direction that the book is read. */
  private keys(): void {
    const turn = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if ((event.target as Element).closest?.("input, textarea, select")) return;
      const back = this.frame.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
      const by = event.key === back ? "-1" : event.key === "ArrowLeft" || event.key === "ArrowRight" ? "1" : "";
      if (by) find<HTMLAnchorElement>(`a[data-turn="${by}"]`, this.frame)?.click();
    };
    addEventListener("keydown", turn);
    this.page.addEventListener("load", () => this.document()?.addEventListener("keydown", turn));
  }

  private theme(inside: Document): void {
    const dark = document.documentElement.dataset["theme"];
    const chosen = dark ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    inside.documentElement.dataset["theme"] = chosen;
  }

  private size(): number {
    const kept = Number(recall(SIZE_KEY));
    return SIZES.includes(kept) ? kept : 1;
  }

  private resize(size: number): void {
    this.document()?.documentElement.style.setProperty("--size", String(size));
    const shown = find("[data-text-size] output", this.frame);
    if (shown) shown.textContent = `${Math.round(size * 100)}%`;
  }

  private sizes(): void {
    this.resize(this.size());
    find("[data-text-size]", this.frame)?.removeAttribute("data-waits");
    for (const button of all("[data-text-size] [data-by]", this.frame)) {
      button.addEventListener("click", () => {
        const at = SIZES.indexOf(this.size()) + Number(button.dataset["by"]);
        const size = SIZES[Math.min(SIZES.length - 1, Math.max(0, at))] ?? 1;
        keep(SIZE_KEY, String(size));
        this.resize(size);
      });
    }
  }
}
