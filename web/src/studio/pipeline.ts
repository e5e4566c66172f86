import { find, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { acceptLanguage } from "../lib/problem";

/** What the server tells of a resource's way; `doing` and `failure` are sentences in the visitor's language. */
interface Progress {
  stage: string;
  progress: number;
  doing: string | null;
  failure: string | null;
}

const words: Record<string, [zh: string, en: string]> = {
  draft: ["草稿", "Draft"],
  processing: ["处理中", "Processing"],
  ready: ["待发布", "Ready"],
  submitted: ["审核中", "In review"],
  published: ["已发布", "Published"],
  withdrawn: ["已下架", "Withdrawn"],
  failed: ["未成功", "Failed"],
};

const pause_ms = 2000;

/**
 * Rows that are kept up to date. They are asked for one after the other: a stream for each would take
 * the few connections that a browser has to a server over HTTP/1.1 from the uploads.
 */
const watched = new Map<string, HTMLElement>();
let asking = false;

/** Keeps the state in `row` up to date until the resource is through. */
export function watch(id: string, row: HTMLElement): void {
  watched.set(id, row);
  if (!asking) void ask();
}

async function ask(): Promise<void> {
  asking = watched.size > 0;
  for (const [id, row] of watched) {
    const answer = await fetch(`/api/resources/${id}`, { headers: { "Accept-Language": acceptLanguage } }).catch(() => null);
    const progress = answer?.ok ? ((await answer.json().catch(() => null)) as Progress | null) : null;
    if (progress) show(row, progress);
    const over = progress ? progress.stage !== "processing" : [401, 403, 404].includes(answer?.status ?? 0);
    if (over) watched.delete(id);
  }
  if (asking) later(() => void ask());
}

/**
 * The page of one resource: its state and steps are taken from the page as the server renders it now.
 * When the resource is through, other buttons fit, so the page is loaded anew.
 */
export function watchPage(page: HTMLElement, changed: () => boolean): void {
  if (page.dataset["stage"] === "processing") later(() => void refresh(page, changed));
}

/** Keeps the line about recognising speech up to date; afterwards there are other captions, so the page is loaded anew. */
export function watchListening(page: HTMLElement, changed: () => boolean): void {
  const line = find("[data-listening]", page);
  if (line) later(() => void listened(page, line, changed));
}

async function listened(page: HTMLElement, line: HTMLElement, changed: () => boolean): Promise<void> {
  const answer = await fetch(`/api/resources/${page.dataset["resource"] ?? ""}`, { headers: { "Accept-Language": acceptLanguage } }).catch(() => null);
  const body = answer?.ok ? ((await answer.json().catch(() => null)) as { recognition: { state: string; says: string } | null } | null) : null;
  const now = body?.recognition;
  if (now && line.textContent !== now.says) line.textContent = now.says;
  if (!now || now.state === "waiting" || now.state === "running") later(() => void listened(page, line, changed));
  else if (!changed()) location.reload();
}

async function refresh(page: HTMLElement, changed: () => boolean): Promise<void> {
  const answer = await fetch(location.pathname).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => "") : "";
  const now = find(".edit[data-resource]", new DOMParser().parseFromString(text, "text/html"));
  if (now && now.dataset["stage"] !== "processing") {
    if (!changed()) location.reload();
    else find(".page-head", page)?.after(make("p", { className: "notice", textContent: pick("处理有了结果。保存修改后可以看到。", "Processing has ended. Save your changes to see the result.") }));
    return;
  }
  for (const part of ["[data-state]", "[data-steps]"]) {
    const fresh = now && find(part, now);
    if (fresh) find(part, page)?.replaceWith(fresh);
  }
  later(() => void refresh(page, changed));
}

/** After a pause, and not before the tab is looked at. */
function later(act: () => void): void {
  setTimeout(() => {
    if (document.visibilityState === "visible") act();
    else document.addEventListener("visibilitychange", act, { once: true });
  }, pause_ms);
}

/** Shows the progress in a row of the list or of the uploads. */
function show(row: HTMLElement, { stage, progress, doing, failure }: Progress): void {
  const [zh, en] = words[stage] ?? [stage, stage];
  row.dataset["stage"] = stage;
  const word = find("[data-stage-word]", row);
  if (word) {
    word.dataset["stage"] = stage;
    word.textContent = pick(zh, en);
  }
  const bar = find(".bar", row);
  if (bar) {
    const percent = Math.floor(Math.min(1, Math.max(0, progress)) * 100);
    const meter = find<HTMLProgressElement>("progress", bar);
    const number = find(".number", bar);
    if (meter) meter.value = percent;
    if (number) number.textContent = `${percent}%`;
    bar.hidden = stage !== "processing";
  }
  const line = find(".says", row);
  // Rows without a stage's word say it when there is no sentence.
  const says = failure ?? doing ?? (word ? "" : pick(zh, en));
  if (line && line.textContent !== says) line.textContent = says;
  if (stage === "failed" && row.dataset["state"]) row.dataset["state"] = "refused";
}
