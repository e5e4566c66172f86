import { all, find } from "../lib/dom";
import { pick } from "../lib/lang";

/**
 * Guards the forms of a page: a form is sent once, and leaving with changes asks first.
 * Answers whether something was changed and not saved.
 */
export function guardForms(page: HTMLElement): () => boolean {
  const form = find<HTMLFormElement>("form[data-edit]", page);
  let changed = false;
  form?.addEventListener("input", () => (changed = true));
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  for (const one of all<HTMLFormElement>("form", page)) {
    one.addEventListener("submit", (event) => {
      if (one === form) changed = false;
      const button = (event as SubmitEvent).submitter as HTMLButtonElement | null;
      if (one.dataset["sent"] === "true") {
        event.preventDefault();
        return;
      }
      one.dataset["sent"] = "true";
      // After the browser has read the form, which would leave a disabled button out.
      setTimeout(() => {
        if (button) button.disabled = true;
        button?.setAttribute("aria-label", pick("正在办理……", "Working…"));
      });
    });
  }
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const one of all<HTMLFormElement>("form", page)) {
      delete one.dataset["sent"];
      for (const button of all<HTMLButtonElement>("button", one)) button.disabled = false;
    }
  });
  return () => changed;
}
