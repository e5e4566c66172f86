import { centre, find } from "../lib/dom";
import { pick } from "../lib/lang";
import { keep, recall } from "../lib/store";

/** The lesson of a course at which this browser was last, by the lesson's id. */
function key(course: string): string {
  return `duoku.course.${course}`;
}

/** Keeps that this lesson is where the browser was, and shows it in the middle of the list. */
export function keepPlace(lesson: HTMLElement): void {
  keep(key(lesson.dataset["of"] ?? ""), lesson.dataset["lesson"] ?? "");
  const list = find("[data-lessons]", lesson);
  const now = list && find("[aria-current]", list);
  if (list && now) centre(list, now);
}

/** Marks the lesson at which the browser was, and lets the button go on there. */
export function showPlace(course: HTMLElement): void {
  const id = recall(key(course.dataset["course"] ?? ""));
  const row = id ? find<HTMLAnchorElement>(`[data-lesson-row="${CSS.escape(id)}"]`, course) : null;
  if (!row) return;
  row.classList.add("was");
  const mark = find("[data-was]", row);
  if (mark) mark.hidden = false;
  const start = find<HTMLAnchorElement>("[data-start]", course);
  const word = find("[data-start-word]", course);
  const number = find(".lesson-number", row)?.textContent ?? "";
  if (start) start.href = row.href;
  if (word) word.textContent = pick(`继续学习：第 ${number} 课`, `Go on with lesson ${number}`);
}
