import { centre, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { type Cue, type Cues, least_ms, milliseconds, short } from "./cues";

/** Characters a second that people still read. */
const fastest = 15;

/** What is done in the list. */
export interface Doings {
  /** A line was chosen; `seek` when the media are to go there. */
  choose(id: number): void;
  text(id: number, text: string): void;
  time(id: number, which: "start" | "end", ms: number): void;
  /** The time where the media are, for a button. */
  take(which: "start" | "end"): void;
}

/** The cues as lines, of which the chosen one can be edited. */
export class List {
  private readonly rows = new Map<number, { row: HTMLElement; cue: Cue; chosen: boolean; bad: string }>();
  private now: HTMLElement | null = null;
  private used = 0;

  constructor(
    private readonly list: HTMLElement,
    private readonly doings: Doings,
  ) {
    for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      list.addEventListener(event, () => (this.used = Date.now()), { passive: true });
    }
    list.addEventListener("click", (event) => {
      const line = (event.target as Element).closest<HTMLElement>(".cue-line");
      if (line) doings.choose(Number(line.parentElement?.dataset["cue"]));
    });
  }

  /** Shows `cues`; what did not change stays as it is, so that nobody loses their place while typing. */
  show(cues: Cues, chosen: number | null): void {
    const kept = new Set<number>();
    const rows = cues.map((cue, at) => {
      kept.add(cue.id);
      const bad = complaint(cue, cues[at + 1]);
      const known = this.rows.get(cue.id);
      const is_chosen = cue.id === chosen;
      if (known?.chosen === is_chosen && known.bad === bad && (known.cue === cue || this.typed(known.row, cue))) {
        known.cue = cue;
        return known.row;
      }
      const row = known?.row ?? make("li", { className: "cue" });
      row.dataset["cue"] = String(cue.id);
      row.classList.toggle("chosen", is_chosen);
      row.classList.toggle("bad", bad !== "");
      if (is_chosen && known?.chosen === true) this.refill(row, cue, bad);
      else row.replaceChildren(is_chosen ? this.fields(cue, bad) : line(cue, bad));
      this.rows.set(cue.id, { row, cue, chosen: is_chosen, bad });
      return row;
    });
    for (const [id] of this.rows) if (!kept.has(id)) this.rows.delete(id);
    const there = [...this.list.children];
    if (rows.length !== there.length || rows.some((row, at) => row !== there[at])) this.place(rows);
  }

  /** Puts the caret into the text of the chosen cue. */
  focus(caret: number | null = null): void {
    const field = this.field("textarea") as HTMLTextAreaElement | null;
    field?.focus({ preventScroll: true });
    if (caret !== null) field?.setSelectionRange(caret, caret);
  }

  /** The line of the chosen cue, in sight. */
  reveal(): void {
    const row = this.list.querySelector<HTMLElement>(".cue.chosen");
    if (row) centre(this.list, row);
  }

  /** Where the caret is in the text of the chosen cue; null when it is not there. */
  caret(): number | null {
    const field = this.field("textarea") as HTMLTextAreaElement | null;
    return field && document.activeElement === field ? field.selectionStart : null;
  }

  /** Marks the cue that is heard; scrolls to it while the media play and nobody works in the list. */
  mark(id: number | null, follow: boolean): void {
    const row = id === null ? null : (this.rows.get(id)?.row ?? null);
    if (row === this.now) return;
    this.now?.classList.remove("now");
    this.now = row;
    row?.classList.add("now");
    const typing = this.list.contains(document.activeElement) && document.activeElement?.matches("input, textarea");
    if (row && follow && !typing && Date.now() - this.used > 4000) centre(this.list, row);
  }

  /** Rows are moved without taking the one with the caret out, which would lose it. */
  private place(rows: HTMLElement[]): void {
    const held = this.list.contains(document.activeElement) ? document.activeElement?.closest(".cue") : null;
    if (!held || !rows.includes(held as HTMLElement)) {
      this.list.replaceChildren(...rows);
      return;
    }
    const at = rows.indexOf(held as HTMLElement);
    while (held.previousSibling) held.previousSibling.remove();
    while (held.nextSibling) held.nextSibling.remove();
    held.before(...rows.slice(0, at));
    held.after(...rows.slice(at + 1));
  }

  /** Whether a row shows `cue` already, since it was typed there. */
  private typed(row: HTMLElement, cue: Cue): boolean {
    const text = row.querySelector("textarea");
    const [start, end] = row.querySelectorAll("input");
    return text?.value === cue.text && milliseconds(start?.value ?? "") === cue.start && milliseconds(end?.value ?? "") === cue.end;
  }

  private refill(row: HTMLElement, cue: Cue, bad: string): void {
    const [start, end] = row.querySelectorAll("input");
    const text = row.querySelector("textarea");
    if (start && milliseconds(start.value) !== cue.start) start.value = short(cue.start);
    if (end && milliseconds(end.value) !== cue.end) end.value = short(cue.end);
    if (text && text.value !== cue.text) text.value = cue.text;
    const says = row.querySelector(".cue-says");
    if (says) says.textContent = bad;
  }

  private fields(cue: Cue, bad: string): HTMLElement {
    const time = (which: "start" | "end", label: string, take: string) => {
      const input = make("input", { value: short(cue[which]), inputMode: "decimal", autocomplete: "off", className: "number" });
      input.setAttribute("aria-label", label);
      const set = () => {
        const ms = milliseconds(input.value);
        input.toggleAttribute("aria-invalid", ms === null);
        if (ms !== null) this.doings.time(cue.id, which, ms);
      };
      input.addEventListener("change", set);
      input.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
        const step = (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 1000 : least_ms);
        const ms = milliseconds(input.value);
        if (ms === null || event.altKey || event.ctrlKey) return;
        event.preventDefault();
        input.value = short(Math.max(0, ms + step));
        set();
      });
      const button = make("button", { type: "button", className: "text-button", textContent: take });
      button.setAttribute("aria-label", `${take}${pick("：", ": ")}${label}`);
      button.addEventListener("click", () => this.doings.take(which));
      return make("span", { className: "cue-time" }, make("span", { className: "cue-label", textContent: label }), input, button);
    };
    const text = make("textarea", { value: cue.text, rows: 2, spellcheck: true });
    text.setAttribute("aria-label", pick("字幕文字", "Text"));
    text.addEventListener("input", () => this.doings.text(cue.id, text.value));
    const times = make("div", { className: "cue-times" }, time("start", pick("开始", "Start"), pick("取当前", "now")), time("end", pick("结束", "End"), pick("取当前", "now")));
    const says = make("p", { className: "cue-says", textContent: bad });
    says.setAttribute("role", "status");
    return make("div", { className: "cue-fields" }, times, text, says);
  }

  private field(name: string): HTMLElement | null {
    return this.list.querySelector<HTMLElement>(`.cue.chosen ${name}`);
  }
}

function line(cue: Cue, bad: string): HTMLElement {
  const text = make("span", { className: "cue-text", textContent: cue.text || pick("（没有文字）", "(no text)") });
  const button = make("button", { type: "button", className: "cue-line" }, make("span", { className: "number", textContent: short(cue.start) }), text);
  if (bad !== "") button.append(make("span", { className: "cue-says", textContent: bad }));
  return button;
}

/** What is wrong with a cue, in few words; empty when nothing is. */
function complaint(cue: Cue, next: Cue | undefined): string {
  if (cue.end <= cue.start) return pick("结束要晚于开始", "It must end after it begins");
  if (cue.text.trim() === "") return pick("没有文字，不会保存", "Without text it is not saved");
  if (next && next.start < cue.end) return pick("和下一条重叠", "It overlaps the next one");
  const letters = [...cue.text.replace(/\s/g, "")].length;
  const latin = /^[\p{Script=Latin}\d\s\p{P}]+$/u.test(cue.text);
  const seconds = (cue.end - cue.start) / 1000;
  return letters / seconds > fastest * (latin ? 2 : 1) ? pick("字太多，来不及读", "Too much to read in this time") : "";
}
