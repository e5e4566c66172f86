import { csrf } from "../lib/dom";
import { acceptLanguage, refusal } from "../lib/problem";
import { parse, type Cues } from "./cues";

/** A track as the server has it. */
export interface Track {
  cues: Cues;
  /** Empty: there is none. */
  tag: string;
}

/** What became of captions that were sent. */
export type Sent = { saved: true; tag: string } | { saved: false; conflict: boolean; says: string };

/** The track of captions at `address`. */
export class Server {
  constructor(private readonly address: string) {}

  /** The track; without cues and tag when there is none. */
  async read(): Promise<Track> {
    const answer = await fetch(this.address, { headers: this.headers({}), cache: "no-store" });
    if (answer.status === 404) return { cues: [], tag: "" };
    if (!answer.ok) throw new Error(refusal(answer.status, await answer.text()));
    return { cues: parse(await answer.text()), tag: answer.headers.get("etag") ?? "" };
  }

  /** Saves a file over the captions of `tag` alone; a file of another form by its name. */
  async save(file: Blob, tag: string, name = "captions.vtt"): Promise<Sent> {
    const over: Record<string, string> = tag === "" ? { "If-None-Match": "*" } : { "If-Match": tag };
    const headers = this.headers({ ...over, "Content-Type": "application/octet-stream" });
    const address = `${this.address}?filename=${encodeURIComponent(name)}`;
    try {
      const answer = await fetch(address, { method: "PUT", headers, body: file });
      if (answer.ok) return { saved: true, tag: answer.headers.get("etag") ?? "" };
      return { saved: false, conflict: answer.status === 412, says: refusal(answer.status, await answer.text()) };
    } catch {
      return { saved: false, conflict: false, says: refusal(0, "") };
    }
  }

  /** Removes the track; why it was not, or an empty text. */
  async remove(): Promise<string> {
    try {
      const answer = await fetch(this.address, { method: "DELETE", headers: this.headers({}) });
      return answer.ok || answer.status === 404 ? "" : refusal(answer.status, await answer.text());
    } catch {
      return refusal(0, "");
    }
  }

  private headers(more: Record<string, string>): Record<string, string> {
    const proof: Record<string, string> = csrf() === "" ? {} : { "X-Csrf-Token": csrf() };
    return { "Accept-Language": acceptLanguage, ...proof, ...more };
  }
}
