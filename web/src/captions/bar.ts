import { make } from "../lib/dom";
import { pick } from "../lib/lang";

/** Something that can be done by a button or a key. */
export interface Command {
  label: string;
  /** As shown: `Alt+I`; empty: no key. */
  keys: string;
  run(): void;
  /** Whether it can be done now; always, if left out. */
  can?(): boolean;
}

/** A row of buttons for `commands`, and what lets them show what can be done. */
export function buttons(label: string, commands: Command[]): { bar: HTMLElement; refresh(): void } {
  const all = commands.map((command) => {
    const button = make("button", { type: "button", className: "text-button", textContent: command.label });
    if (command.keys !== "") {
      button.title = `${command.label} (${command.keys})`;
      button.setAttribute("aria-keyshortcuts", command.keys.replace("Ctrl", "Control"));
    }
    // The text keeps the caret, so that a cue is split where it stands.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => command.run());
    return { button, command };
  });
  const bar = make("div", { className: "captions-buttons" }, ...all.map(({ button }) => button));
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", label);
  return { bar, refresh: () => all.forEach(({ button, command }) => (button.disabled = command.can?.() === false)) };
}

/** The keys in words. */
export function keyList(commands: Command[]): HTMLElement {
  const rows = commands.filter(({ keys }) => keys !== "").map(({ label, keys }) => make("li", {}, make("kbd", { textContent: keys }), make("span", { textContent: label })));
  const summary = make("summary", { textContent: pick("快捷键", "Keys") });
  return make("details", { className: "captions-keys" }, summary, make("ul", {}, ...rows));
}

/** Runs the command of a key, wherever the caret is; what is being composed is left alone. */
export function listen(commands: Command[]): void {
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat) return;
    const pressed = name(event);
    const command = commands.find(({ keys }) => keys !== "" && keys.toLowerCase() === pressed);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    if (command.can?.() !== false) command.run();
  }, { capture: true });
}

/** `alt+shift+i`; by the key's place, since Alt makes other letters of them on some keyboards. */
function name(event: KeyboardEvent): string {
  const key = /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : ({ BracketLeft: "[", BracketRight: "]", Comma: ",", Period: ".", ArrowUp: "↑", ArrowDown: "↓" }[event.code] ?? event.key);
  const held = [event.ctrlKey || event.metaKey ? "ctrl" : "", event.altKey ? "alt" : "", event.shiftKey ? "shift" : ""];
  return [...held.filter(Boolean), key.toLowerCase()].join("+");
}

/** Finding and replacing; `find` goes to the next place, `all` answers how many were replaced. */
export function findPanel(find: (wanted: string) => boolean, all: (wanted: string, other: string) => number): HTMLElement {
  const wanted = make("input", { type: "search", autocomplete: "off" });
  wanted.setAttribute("aria-label", pick("查找", "Find"));
  wanted.placeholder = pick("查找", "Find");
  const other = make("input", { type: "text", autocomplete: "off" });
  other.setAttribute("aria-label", pick("替换为", "Replace with"));
  other.placeholder = pick("替换为", "Replace with");
  const says = make("span", { className: "hint" });
  says.setAttribute("role", "status");
  const next = make("button", { type: "submit", className: "text-button", textContent: pick("下一处", "Next") });
  const replace = make("button", { type: "button", className: "text-button", textContent: pick("全部替换", "Replace all") });
  replace.addEventListener("click", () => {
    const count = all(wanted.value, other.value);
    says.textContent = pick(`替换了 ${count} 处`, `${count} replaced`);
  });
  const form = make("form", { className: "captions-panel", hidden: true }, wanted, next, other, replace, says);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    says.textContent = find(wanted.value) ? "" : pick("没有找到", "Not found");
  });
  return form;
}

/** Moving all times; `shift` is told seconds, and whether only from the chosen cue on. */
export function shiftPanel(shift: (seconds: number, rest: boolean) => void): HTMLElement {
  const seconds = make("input", { type: "number", step: "0.1", value: "0.5", required: true });
  seconds.setAttribute("aria-label", pick("秒，负数提前", "Seconds; less than 0 is earlier"));
  const scope = make("select", {}, make("option", { value: "all", textContent: pick("全部字幕", "All cues") }), make("option", { value: "rest", textContent: pick("从选中的一条起", "From the chosen one on") }));
  scope.setAttribute("aria-label", pick("范围", "Which"));
  const apply = make("button", { type: "submit", className: "text-button", textContent: pick("平移", "Shift") });
  const hint = make("span", { className: "hint", textContent: pick("秒（负数提前，正数推迟）", "s (below 0 earlier, above later)") });
  const form = make("form", { className: "captions-panel", hidden: true }, seconds, hint, scope, apply);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    shift(Number(seconds.value), scope.value === "rest");
  });
  return form;
}
