/** The files that were dropped, those inside dropped folders too; without the hidden ones in there. */
export function dropped(transfer: DataTransfer): Promise<File[]> {
  // Read at once: after the event the list is empty.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return entries.length > 0 ? inside(entries) : Promise.resolve([...transfer.files]);
}

async function inside(entries: FileSystemEntry[]): Promise<File[]> {
  const files: File[] = [];
  for (const entry of entries) {
    if (entry.isFile) files.push(await read(entry as FileSystemFileEntry));
    else files.push(...(await inside(await list(entry as FileSystemDirectoryEntry))));
  }
  return files;
}

/** What cannot be read stands there as an empty file, so that it is refused by name. */
function read(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((done) => entry.file(done, () => done(new File([], entry.name))));
}

/** A folder tells some entries at a time, and none at the end. */
async function list(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done) => reader.readEntries(done, () => done([])));
    if (some.length === 0) return all.filter((entry) => !entry.name.startsWith("."));
    all.push(...some);
  }
}
