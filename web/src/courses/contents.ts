import { all, find } from "../lib/dom";
import { pick } from "../lib/lang";
import { acceptLanguage, refusal } from "../lib/problem";
import { draggable, showHandles } from "./drag";

/**
 * The editor of a course works by plain forms. Here they are sent without loading the page anew:
 * what the server answers takes the place of the parts marked `data-swap`, and the focus stays.
 */
export function editContents(editor: HTMLElement): void {
  let busy = false;

  /** False: nothing was done. */
  const send = async (form: HTMLFormElement, fields: Record<string, string>): Promise<boolean> => {
    if (busy) return false;
    busy = true;
    editor.setAttribute("aria-busy", "true");
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    try {
      // Not `form.action`: buttons are called so.
      const answer = await fetch(form.getAttribute("action") ?? "", { method: "POST", body, headers: { accept: "text/html", "accept-language": acceptLanguage } });
      const text = await answer.text();
      const page = new DOMParser().parseFromString(text, "text/html");
      if (!find("[data-course-editor]", page)) throw new Error(find("main h1 ~ p, main p", page)?.textContent ?? refusal(answer.status, text));
      swap(editor, page);
      return answer.ok;
    } catch (error) {
      notice(editor, error instanceof Error && error.message !== "Failed to fetch" ? error.message : refusal(0, ""));
      return false;
    } finally {
      busy = false;
      editor.removeAttribute("aria-busy");
    }
  };

  editor.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter as HTMLButtonElement | null;
    if (!form.matches("[data-course-form]") || !button) return;
    event.preventDefault();
    const [verb, id] = button.value.split(":");
    void send(form, { action: button.value }).then((done) => {
      focusAgain(editor, button);
      if (done && id && (verb === "up" || verb === "down")) say(editor, id);
    });
  });

  draggable(editor, (lesson, section, before) => {
    const form = find<HTMLFormElement>("[data-contents]", editor);
    if (!form) return;
    void send(form, { action: `put:${lesson}`, to: section, before }).then((done) => done && say(editor, lesson));
  });
}

/** Puts the parts of `page` in the place of those of the same name; open details stay open. */
function swap(editor: HTMLElement, page: Document): void {
  const open = all<HTMLDetailsElement>(".lesson-more[open]", editor).map((one) => one.closest("[data-lesson]")?.id);
  const section = find<HTMLSelectElement>("#picker-section", editor)?.value;
  for (const part of all("[data-swap]", editor)) {
    const other = find(`[data-swap="${part.dataset["swap"]}"]`, page);
    if (other) part.replaceWith(document.adoptNode(other));
  }
  showHandles(editor);
  const version = find<HTMLInputElement>('[name="version"]', page)?.value;
  if (version) for (const field of all<HTMLInputElement>('[name="version"]', editor)) field.value = version;
  for (const id of open) {
    const details = id ? find<HTMLDetailsElement>(`#${CSS.escape(id)} .lesson-more`, editor) : null;
    if (details) details.open = true;
  }
  const into = find<HTMLSelectElement>("#picker-section", editor);
  if (into && section && all("option", into).length > Number(section)) into.value = section;
}

/** The same button has the focus again, or what is nearest to it. */
function focusAgain(editor: HTMLElement, button: HTMLButtonElement): void {
  const same = button.id ? find<HTMLButtonElement>(`#${CSS.escape(button.id)}`, editor) : find<HTMLButtonElement>(`button[value="${CSS.escape(button.value)}"]`, editor);
  const target = same && !same.disabled ? same : find<HTMLElement>("#contents button:not([tabindex]):not([disabled])", editor);
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: "nearest" });
}

/** Tells readers of the screen where a lesson is now. */
function say(editor: HTMLElement, lesson: string): void {
  const row = find(`#lesson-${CSS.escape(lesson)}`, editor);
  const line = find("[data-contents-says]", editor);
  if (!row || !line) return;
  const [title, number] = [row.dataset["title"] ?? "", find(".lesson-number", row)?.textContent ?? ""];
  line.textContent = pick(`《${title}》现在是第 ${number} 课`, `${title} is lesson ${number} now`);
}

function notice(editor: HTMLElement, text: string): void {
  const place = find('[data-swap="notices"]', editor);
  if (!place) return;
  const line = document.createElement("p");
  line.className = "notice bad";
  line.setAttribute("role", "alert");
  line.textContent = text;
  place.replaceChildren(line);
  line.scrollIntoView({ block: "nearest" });
}
