const window_ms = 8000;

/** How fast bytes go, over the last seconds. */
export class Speed {
  private notes: [at: number, bytes: number][] = [];

  /** Notes that `bytes` are through by now. */
  note(bytes: number): void {
    const now = performance.now();
    const last = this.notes[this.notes.length - 1];
    if (last && bytes < last[1]) this.notes = [];
    this.notes.push([now, bytes]);
    while (this.notes.length > 2 && (this.notes[0]?.[0] ?? now) < now - window_ms) this.notes.shift();
  }

  /** Bytes a second; 0 while it cannot be told. */
  bytesPerSecond(): number {
    const [first, last] = [this.notes[0], this.notes[this.notes.length - 1]];
    if (!first || !last || last[0] - first[0] < 500) return 0;
    return ((last[1] - first[1]) / (last[0] - first[0])) * 1000;
  }
}
