import { keep, recall } from "../lib/store";
import { cue, type Cues } from "./cues";

/** What was written and not saved. */
export interface Draft {
  /** Tag of the captions that it was written over; empty: there were none. */
  tag: string;
  /** When, Unix milliseconds. */
  at: number;
  cues: Cues;
}

/** A draft that stays in this browser until it is saved or dropped. */
export class Drafts {
  private readonly key: string;

  constructor(id: string, name: string) {
    this.key = `duoku.draft.${id}.${name}`;
  }

  keep(tag: string, cues: Cues): void {
    const rows = cues.map(({ start, end, text, settings }) => [start, end, text, settings]);
    keep(this.key, JSON.stringify({ tag, at: Date.now(), rows }));
  }

  drop(): void {
    keep(this.key, null);
  }

  read(): Draft | null {
    try {
      const { tag, at, rows } = JSON.parse(recall(this.key) ?? "null") as { tag: string; at: number; rows: [number, number, string, string][] };
      return { tag, at, cues: rows.map(([start, end, text, settings]) => cue(start, end, text, settings)) };
    } catch {
      // None, or not one of ours.
      return null;
    }
  }
}
