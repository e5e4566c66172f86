//! What lasts, what goes, and what is refused.

use std::fs;
use std::path::Path;
use std::time::Instant;

use indexer::{Entry, Error, Index, Passage, Query, Words};

use crate::{Shelf, caption, page, titled};

fn open(folder: &Path) -> Result<Index, Error> {
    Index::open(folder, Words::new(""))
}

#[test]
fn a_new_index_is_empty_and_counts_from_nothing() {
    let shelf = Shelf::new(&[]);
    let folder = tempfile::tempdir().unwrap();
    let index = open(&folder.path().join("deep").join("er")).unwrap();
    assert_eq!(index.mark(), 0);
    assert!(index.is_empty().unwrap());
    assert_eq!(index.search(&Query::default()).unwrap().total, 0);
    assert!(index.suggest("剪", 5).unwrap().is_empty());
    assert_eq!(shelf.find("剪纸").total, 0);
    assert_eq!(shelf.find("剪纸").facets.len(), 6);
}

#[test]
fn putting_replaces_and_removing_takes_the_passages_too() {
    let entry =
        Entry { passages: vec![caption(0, "渔民"), caption(1, "编网")], ..titled("a", "旧") };
    let shelf = Shelf::new(&[entry, titled("b", "剪纸")]);
    assert_eq!(shelf.ids("渔民"), ["a"]);
    shelf.put(&[titled("a", "新")]);
    assert_eq!(shelf.ids("渔民"), Vec::<String>::new());
    assert_eq!(shelf.ids("旧"), Vec::<String>::new());
    assert_eq!(shelf.ids("新"), ["a"]);
    assert_eq!(shelf.index.len().unwrap(), 2);
    shelf.index.remove("a").unwrap();
    shelf.index.remove("never").unwrap();
    assert_eq!(shelf.ids("新"), ["a"], "not yet committed");
    shelf.index.commit(9).unwrap();
    assert_eq!(shelf.ids("新"), Vec::<String>::new());
    assert_eq!(shelf.ids(""), ["b"]);
    assert_eq!(shelf.index.resources().unwrap(), ["b"]);
    assert_eq!(shelf.index.len().unwrap(), 1);
}

#[test]
fn twice_in_one_commit_is_once() {
    let shelf = Shelf::new(&[titled("a", "一"), titled("a", "二"), titled("a", "三")]);
    assert_eq!(shelf.find("").total, 1);
    assert_eq!(shelf.ids("三"), ["a"]);
    assert_eq!(shelf.ids("一"), Vec::<String>::new());
}

#[test]
fn what_was_not_committed_is_gone_after_reopening() {
    let Shelf { folder, index } = Shelf::new(&[titled("a", "剪纸")]);
    index.put(&titled("b", "剪纸")).unwrap();
    index.remove("a").unwrap();
    drop(index);
    let index = open(folder.path()).unwrap();
    assert_eq!(index.mark(), 1);
    assert_eq!(index.resources().unwrap(), ["a"]);
    index.put(&titled("c", "剪纸")).unwrap();
    index.commit(7).unwrap();
    assert_eq!(index.mark(), 7);
    index.verify().unwrap();
}

#[test]
fn blocks_stay_whole_through_merges() {
    let entry = |n: i64, turn: i64| Entry {
        published_ms: n,
        passages: (0..n % 7).map(|at| caption(at, &format!("渔民 {n} {turn}"))).collect(),
        ..titled(&format!("r{n:03}"), &format!("剪纸 {n}"))
    };
    let shelf = Shelf::new(&[]);
    for turn in 0..4 {
        for chunk in (0..60).collect::<Vec<_>>().chunks(4) {
            let entries: Vec<Entry> = chunk.iter().map(|n| entry(*n, turn)).collect();
            shelf.put(&entries);
        }
    }
    assert_eq!(shelf.find("剪纸").total, 60);
    assert_eq!(shelf.index.len().unwrap(), 60);
    let query = Query { text: "渔民".into(), per_page: 100, ..Query::default() };
    let found = shelf.index.search(&query).unwrap();
    assert_eq!(found.total, (0..60).filter(|n| n % 7 > 0).count());
    for hit in found.hits {
        let number = hit.resource[1..].trim_start_matches('0');
        for moment in hit.moments {
            let said = format!("<mark>渔民</mark> {number} 3");
            assert_eq!(moment.text, said, "{} has a moment of its own", hit.resource);
        }
    }
}

#[test]
fn only_one_may_write() {
    let Shelf { folder, index } = Shelf::new(&[titled("a", "剪纸")]);
    let other = open(folder.path()).unwrap();
    let error = other.put(&titled("b", "剪纸")).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }) && error.is_transient(), "{error}");
    drop(index);
    other.put(&titled("b", "剪纸")).unwrap();
    other.commit(2).unwrap();
    assert_eq!(other.len().unwrap(), 2);
}

#[test]
fn a_lock_left_behind_does_not_matter() {
    let Shelf { folder, index } = Shelf::new(&[titled("a", "剪纸")]);
    drop(index);
    fs::write(folder.path().join(".tantivy-writer.lock"), "").unwrap();
    fs::write(folder.path().join(".tantivy-meta.lock"), "").unwrap();
    let index = open(folder.path()).unwrap();
    index.put(&titled("b", "剪纸")).unwrap();
    index.commit(2).unwrap();
    assert_eq!(index.len().unwrap(), 2);
}

#[test]
fn damage_is_told_from_age() {
    let damage = |harm: &dyn Fn(&Path)| {
        let Shelf { folder, index } = Shelf::new(&[titled("a", "剪纸")]);
        drop(index);
        harm(folder.path());
        open(folder.path()).map(|index| index.len().unwrap()).unwrap_err()
    };
    let meta = damage(&|folder| fs::write(folder.join("meta.json"), "{").unwrap());
    assert!(matches!(meta, Error::Damaged { .. }), "{meta}");
    let no_meta = damage(&|folder| fs::remove_file(folder.join("meta.json")).unwrap());
    assert!(matches!(no_meta, Error::Damaged { .. }), "{no_meta}");
    let version = damage(&|folder| fs::write(folder.join("version"), "x").unwrap());
    assert!(matches!(version, Error::Damaged { .. }), "{version}");
    let old = damage(&|folder| fs::write(folder.join("version"), "0\n").unwrap());
    assert!(matches!(old, Error::Outdated { found: 0, .. }), "{old}");
    for ending in ["term", "idx", "fast", "store", "pos", "fieldnorm"] {
        let cut = damage(&|folder| {
            for file in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if file.path().extension().is_some_and(|found| found == ending) {
                    let file = fs::OpenOptions::new().write(true).open(file.path()).unwrap();
                    file.set_len(20).unwrap();
                }
            }
        });
        assert!(matches!(cut, Error::Damaged { .. }), "{ending}: {cut}");
    }
}

#[test]
fn flipped_bytes_are_found_before_they_are_read() {
    let entries: Vec<Entry> = (0..40)
        .map(|n| Entry {
            passages: vec![page(1, "渔民编网的技艺")],
            ..titled(&format!("r{n}"), "日照剪纸")
        })
        .collect();
    for at in 0..12 {
        let Shelf { folder, index } = Shelf::new(&entries);
        drop(index);
        for file in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let mut bytes = fs::read(file.path()).unwrap();
            if bytes.len() > 100 && file.path().extension().is_some_and(|end| end != "json") {
                let place = bytes.len() * at / 13;
                bytes[place] ^= 0x5a;
                fs::write(file.path(), bytes).unwrap();
            }
        }
        let opened = open(folder.path());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{:?}", opened.err());
    }
}

#[test]
fn an_emptied_folder_is_a_new_index() {
    let Shelf { folder, index } = Shelf::new(&[titled("a", "剪纸")]);
    drop(index);
    for file in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        fs::remove_file(file.path()).unwrap();
    }
    let index = open(folder.path()).unwrap();
    assert_eq!((index.mark(), index.len().unwrap()), (0, 0));
}

#[test]
fn a_long_video_and_a_thick_book_are_put_quickly() {
    let cues: Vec<Passage> =
        (0..2_000).map(|n| caption(n * 3_600, "接下来我们看一看渔民是怎样编网的第几步")).collect();
    let text = "剪纸是一种用剪刀或刻刀在纸上剪刻花纹的民间艺术。".repeat(60);
    let pages: Vec<Passage> = (1..=250).map(|n| page(n, &text)).collect();
    let shelf = Shelf::new(&[titled("first", "热身")]);
    let begin = Instant::now();
    shelf.put(&[
        Entry { passages: cues, ..titled("video", "编网") },
        Entry { passages: pages, ..titled("book", "剪纸") },
    ]);
    // Unoptimised and beside other tests; a release build takes a tenth.
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    assert_eq!(shelf.find("剪纸 刻刀").hits[0].moments.len(), 3);
    assert_eq!(shelf.find("第几步").hits[0].resource, "video");
}
