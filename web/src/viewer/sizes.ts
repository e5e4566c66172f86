/** Width and height of a page, in pixels of its large picture. */
export type Size = readonly [width: number, height: number];

/** Reads runs of pages, `12*1600x2263,1*1600x900`; what cannot be read is left out. */
export function readSizes(text: string): Size[] {
  const sizes: Size[] = [];
  for (const run of text.split(",")) {
    const match = /^(\d+)\*(\d+)x(\d+)$/.exec(run);
    if (!match) continue;
    const [count, width, height] = match.slice(1).map(Number) as [number, number, number];
    for (let n = 0; n < Math.min(count, 100_000); n += 1) sizes.push([Math.max(1, width), Math.max(1, height)]);
  }
  return sizes;
}
