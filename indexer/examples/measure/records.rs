//! Short records: how fast an index of them is built, changed and asked.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use indexer::{Entry, Index, Passage, PassageKind, Query, Words};
use serde::Deserialize;

use crate::process::{at, memory, size, times};

/// Records between two commits, as `duoku reindex` has.
const BATCH: usize = 20_000;
/// How long throughput is measured.
const LOAD: Duration = Duration::from_secs(3);
/// Captions of a long video.
const CAPTIONS: u32 = 2_000;

#[derive(Deserialize)]
struct Record {
    id: u64,
    title: String,
    author: String,
    text: String,
}

/// Builds an index of the records, then changes some.
pub(crate) fn build(records: &str, folder: &Path) {
    let begin = Instant::now();
    let index = Index::open(folder, Words::new("")).unwrap();
    let mut count = 0;
    for line in BufReader::new(fs::File::open(records).unwrap()).lines() {
        let record: Record = serde_json::from_str(&line.unwrap()).unwrap();
        index.put(&entry(record)).unwrap();
        count += 1;
        if count % BATCH == 0 {
            index.commit(i64::try_from(count).unwrap()).unwrap();
        }
    }
    index.commit(i64::try_from(count).unwrap()).unwrap();
    println!("{count} records in {:.1?}; {}", begin.elapsed(), memory());
    index.settle().unwrap();
    println!("settled after {:.1?}, {} MB", begin.elapsed(), size(folder) / 1_000_000);
    change(&index);
}

fn entry(record: Record) -> Entry {
    let at = record.id;
    let kinds = ["video", "audio", "document", "image"];
    let passage =
        Passage { kind: PassageKind::Page, start_ms: None, page: Some(1), text: record.text };
    Entry {
        resource: format!("{at:032x}"),
        library: format!("l{}", at % 50),
        kind: kinds[(at % 4) as usize].into(),
        title: record.title,
        author: record.author,
        topics: vec![format!("t{}", at % 9)],
        audiences: vec![format!("a{}", at % 6)],
        language: Some("zh-Hans".into()),
        published_ms: at as i64,
        passages: vec![passage],
        ..Entry::default()
    }
}

/// Puts one resource in place of itself again and again, short and long, and takes it out.
fn change(index: &Index) {
    let mark = index.mark();
    let video = |captions: u32| Entry {
        resource: "zz".into(),
        title: "太极拳入门".into(),
        passages: (0..captions)
            .map(|number| Passage {
                kind: PassageKind::Caption,
                start_ms: Some(i64::from(number) * 3_600),
                page: None,
                text: format!("第{number}句：两脚分开，与肩同宽"),
            })
            .collect(),
        ..Entry::default()
    };
    for (what, captions) in [("a short one", 1), ("a long video", CAPTIONS)] {
        let entry = video(captions);
        let taken = times(10, |_| {
            index.put(&entry).unwrap();
            index.commit(mark).unwrap();
        });
        println!("commit of {what}: p50 {:.1?}, at most {:.1?}", at(&taken, 50), at(&taken, 100));
    }
    index.remove("zz").unwrap();
    index.commit(mark).unwrap();
    index.settle().unwrap();
}

/// Asks the queries of each kind, one after the other, then `threads` at once.
pub(crate) fn ask(folder: &Path, queries: &str, threads: usize) {
    let begin = Instant::now();
    let index = Index::open(folder, Words::new("")).unwrap();
    let kinds: BTreeMap<String, Vec<String>> =
        serde_json::from_str(&fs::read_to_string(queries).unwrap()).unwrap();
    index.search(&query("预热")).unwrap();
    println!("ready after {:.1?}; {}", begin.elapsed(), memory());
    for (kind, queries) in &kinds {
        let found: usize = queries.iter().map(|query| run(&index, kind, query)).sum();
        let mut ask = |at: usize| {
            run(&index, kind, &queries[at]);
        };
        let taken = times(queries.len(), &mut ask);
        println!(
            "{kind:>10} p50 {:>8.0?} p99 {:>8.0?} at most {:>8.0?} {:>9.1} found, {:>7.0} a second with {threads}",
            at(&taken, 50),
            at(&taken, 99),
            at(&taken, 100),
            found as f64 / queries.len() as f64,
            load(&index, kind, queries, threads),
        );
    }
    println!("{}", memory());
}

/// Queries a second of `threads` at once.
fn load(index: &Index, kind: &str, queries: &[String], threads: usize) -> f64 {
    let begin = Instant::now();
    let count: usize = std::thread::scope(|scope| {
        let ask = |first: usize| {
            move || {
                let mut count = 0;
                while begin.elapsed() < LOAD {
                    run(index, kind, &queries[(first + count * 7) % queries.len()]);
                    count += 1;
                }
                count
            }
        };
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(ask(first))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    count as f64 / begin.elapsed().as_secs_f64()
}

/// `suggest...` is what is being typed; a `phrase` is asked in quotes.
fn run(index: &Index, kind: &str, text: &str) -> usize {
    match kind {
        "phrase" => index.search(&query(&format!("\"{text}\""))).unwrap().total,
        kind if kind.starts_with("suggest") => index.suggest(text, 10).unwrap().len(),
        _ => index.search(&query(text)).unwrap().total,
    }
}

fn query(text: &str) -> Query {
    Query { text: text.into(), per_page: 10, ..Query::default() }
}
