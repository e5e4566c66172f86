import { all } from "../lib/dom";

/** Captions that the page names. */
export interface Captions {
  src: string;
  language: string;
  label: string;
}

/** A chapter that the page lists; seconds. */
export interface Chapter {
  start: number;
  end: number;
  title: string;
}

/** What is to be played, as the page says it. */
export interface Source {
  id: string;
  title: string;
  video: boolean;
  /** Parts of it are still being made. */
  growing: boolean;
  /** Its captions are being edited, and shown by who edits them. */
  editing: boolean;
  hls: string;
  dash: string | null;
  storyboard: string | null;
  captions: Captions[];
  chapters: Chapter[];
}

/** Reads the page; the elements inside the media element are taken out, so that nothing loads twice. */
export function readSource(frame: HTMLElement, media: HTMLMediaElement): Source {
  const tracks = all<HTMLTrackElement>("track", media);
  const captions = tracks.map((track) => ({ src: track.src, language: track.srclang, label: track.label }));
  for (const child of all("source, track", media)) child.remove();
  const data = frame.dataset;
  return {
    id: data["id"] ?? "",
    title: data["title"] ?? "",
    video: data["player"] === "video",
    growing: "growing" in data,
    editing: frame.closest("[data-captions-editor]") !== null,
    hls: absolute(data["hls"] ?? ""),
    dash: data["dash"] ? absolute(data["dash"]) : null,
    storyboard: data["storyboard"] ? absolute(data["storyboard"]) : null,
    captions,
    chapters: chapters(),
  };
}

/** The player resolves names inside a file against the file's address, which must be whole for that. */
function absolute(path: string): string {
  return new URL(path, location.href).href;
}

function chapters(): Chapter[] {
  const links = all<HTMLAnchorElement>("[data-chapters] a");
  return links.map((link) => ({
    start: Number(link.dataset["start"]) / 1000,
    end: Number(link.dataset["end"]) / 1000,
    title: link.querySelector("span")?.textContent ?? "",
  }));
}
