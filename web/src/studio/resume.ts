import { defaultOptions } from "tus-js-client";

/** An upload that was begun in this browser and not ended. */
export interface Unfinished {
  name: string;
  bytes: number;
  key: string;
}

const prefix = "duoku";

/** One file into one library is one upload, whichever tab or day it is sent from. */
export function fingerprint(file: File, library: string): string {
  return [prefix, library, file.name, file.type, file.size, file.lastModified].join("|");
}

/** Uploads that can go on. */
export async function unfinished(): Promise<Unfinished[]> {
  const all = (await defaultOptions.urlStorage?.findAllUploads().catch(() => [])) ?? [];
  return all.flatMap(({ metadata, size, urlStorageKey }) => {
    const name = metadata["filename"];
    return name && size !== null && urlStorageKey.includes(`${prefix}|`) ? [{ name, bytes: size, key: urlStorageKey }] : [];
  });
}

/** Forgets an upload; the server lets it expire. */
export async function forget(key: string): Promise<void> {
  await defaultOptions.urlStorage?.removeUpload(key);
}
