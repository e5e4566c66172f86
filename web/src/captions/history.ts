import type { Cues } from "./cues";

/** What was, and which cue was chosen then. */
interface Moment {
  cues: Cues;
  chosen: number | null;
}

/** Changes are kept up to here. */
const most = 500;
/** Typing in one place within this is one change, ms. */
const together_ms = 1500;

/** The cues with all their changes, to go back and forth. */
export class History {
  private before: Moment[] = [];
  private after: Moment[] = [];
  private last = { key: "", at: 0 };

  constructor(
    public cues: Cues,
    public chosen: number | null = null,
  ) {}

  /** Takes `cues`; changes with the same `key` that follow each other quickly are undone together. */
  change(cues: Cues, chosen: number | null, key = ""): void {
    const goes_on = key !== "" && key === this.last.key && Date.now() - this.last.at < together_ms;
    if (!goes_on) {
      this.before.push({ cues: this.cues, chosen: this.chosen });
      if (this.before.length > most) this.before.shift();
    }
    this.after = [];
    this.last = { key, at: Date.now() };
    this.cues = cues;
    this.chosen = chosen;
  }

  undo(): boolean {
    return this.move(this.before, this.after);
  }

  redo(): boolean {
    return this.move(this.after, this.before);
  }

  get undoable(): boolean {
    return this.before.length > 0;
  }

  get redoable(): boolean {
    return this.after.length > 0;
  }

  private move(from: Moment[], to: Moment[]): boolean {
    const moment = from.pop();
    if (!moment) return false;
    to.push({ cues: this.cues, chosen: this.chosen });
    this.last = { key: "", at: 0 };
    this.cues = moment.cues;
    this.chosen = moment.chosen;
    return true;
  }
}
