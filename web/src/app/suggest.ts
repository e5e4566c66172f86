import { make } from "../lib/dom";
import { pick } from "../lib/lang";

/** A completion of what was typed. */
interface Suggestion {
  text: string;
  resource?: string | null;
}

const pause_ms = 120;

/**
 * Completes a search box as a combobox (WAI-ARIA 1.2). Nothing is sent and no key is taken while an
 * input method composes: half a pinyin syllable is not a query.
 */
export function suggest(input: HTMLInputElement): void {
  const form = input.form;
  if (!form) return;
  const list = make("ul", { className: "suggestions", id: `${input.id}-suggestions`, hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", pick("搜索建议", "Suggestions"));
  form.append(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);
  new Box(input, form, list).listen();
}

class Box {
  private chosen = -1;
  private typed = "";
  private composing = false;
  private timer = 0;
  private request: AbortController | null = null;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly form: HTMLFormElement,
    private readonly list: HTMLUListElement,
  ) {}

  listen(): void {
    this.input.addEventListener("compositionstart", () => {
      this.composing = true;
      this.cancel();
    });
    this.input.addEventListener("compositionend", () => {
      this.composing = false;
      this.later();
    });
    this.input.addEventListener("input", () => {
      if (!this.composing) this.later();
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.form.addEventListener("submit", (event) => {
      if (this.composing) event.preventDefault();
      this.cancel();
    });
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = (event.target as Element).closest("li");
      if (item) this.take(item.textContent ?? "");
    });
  }

  private later(): void {
    this.cancel();
    this.typed = this.input.value.trim();
    if (this.typed === "") {
      this.close();
      return;
    }
    this.timer = window.setTimeout(() => void this.ask(this.typed), pause_ms);
  }

  private cancel(): void {
    clearTimeout(this.timer);
    this.request?.abort();
    this.request = null;
  }

  private async ask(typed: string): Promise<void> {
    const request = new AbortController();
    this.request = request;
    try {
      const answer = await fetch(`/api/suggest?q=${encodeURIComponent(typed)}`, { signal: request.signal });
      if (!answer.ok) return;
      this.show(read(await answer.json()));
    } catch {
      // Cancelled, or the line is down: a search still works by itself.
    }
  }

  private show(suggestions: Suggestion[]): void {
    this.chosen = -1;
    this.list.replaceChildren(...suggestions.slice(0, 8).map(({ text }, at) => {
      const item = make("li", { textContent: text, id: `${this.list.id}-${at}` });
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      return item;
    }));
    this.open(suggestions.length > 0 && document.activeElement === this.input);
  }

  private open(shown: boolean): void {
    this.list.hidden = !shown;
    this.input.setAttribute("aria-expanded", String(shown));
    if (!shown) this.input.removeAttribute("aria-activedescendant");
  }

  private close(): void {
    this.cancel();
    this.open(false);
  }

  private key(event: KeyboardEvent): void {
    // 229 is what browsers send for keys that the input method takes.
    if (event.isComposing || this.composing || event.keyCode === 229) return;
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      this.choose(step);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.input.value = this.typed;
      this.close();
    }
  }

  /** Moves the choice; one place beyond the ends is what was typed. */
  private choose(step: number): void {
    const items = [...this.list.children] as HTMLElement[];
    this.chosen = ((this.chosen + 1 + step + items.length + 1) % (items.length + 1)) - 1;
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === this.chosen)));
    const item = items[this.chosen];
    this.input.value = item?.textContent ?? this.typed;
    if (item) this.input.setAttribute("aria-activedescendant", item.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private take(text: string): void {
    this.input.value = text;
    this.close();
    if (this.form.requestSubmit) this.form.requestSubmit();
    else this.form.submit();
  }
}

/** Takes a list of suggestions, bare or under `suggestions`, of texts or of objects with `text`. */
function read(body: unknown): Suggestion[] {
  const list = Array.isArray(body) ? body : (body as { suggestions?: unknown } | null)?.suggestions;
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    if (typeof item === "string") return [{ text: item }];
    const text = (item as { text?: unknown } | null)?.text;
    return typeof text === "string" ? [{ text }] : [];
  });
}
