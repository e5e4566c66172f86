//! Builds an index of short records and asks it, for `benches/search.py` and by hand.
//!
//! ```text
//! records build RECORDS.jsonl FOLDER          an index of what is in the file
//! records ask FOLDER QUERIES.json [THREADS]   one line a kind of query
//! ```
//!
//! A record is a line `{id, title, author, text}`; the text becomes a passage. Queries are
//! `{kind: [query]}`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use indexer::{Entry, Index, Passage, PassageKind, Query, Words};
use serde::Deserialize;

/// Records between two commits, as `duoku reindex` has.
const BATCH: usize = 20_000;
/// How long throughput is measured.
const LOAD: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Record {
    id: u64,
    title: String,
    author: String,
    text: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["build", records, folder] => build(records, Path::new(folder)),
        ["ask", folder, queries] => ask(Path::new(folder), queries, 2),
        ["ask", folder, queries, threads] => {
            ask(Path::new(folder), queries, threads.parse().unwrap());
        }
        _ => println!("records build RECORDS FOLDER | records ask FOLDER QUERIES [THREADS]"),
    }
}

fn build(records: &str, folder: &Path) {
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

fn ask(folder: &Path, queries: &str, threads: usize) {
    let begin = Instant::now();
    let index = Index::open(folder, Words::new("")).unwrap();
    let kinds: BTreeMap<String, Vec<String>> =
        serde_json::from_str(&fs::read_to_string(queries).unwrap()).unwrap();
    index.search(&query("预热")).unwrap();
    println!("ready after {:.1?}; {}", begin.elapsed(), memory());
    for (kind, queries) in &kinds {
        for query in queries {
            run(&index, kind, query);
        }
        let mut times: Vec<(Duration, &String)> = queries
            .iter()
            .map(|query| {
                let begin = Instant::now();
                run(&index, kind, query);
                (begin.elapsed(), query)
            })
            .collect();
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].0;
        let found: usize = queries.iter().map(|query| run(&index, kind, query)).sum();
        println!(
            "{kind:>8} p50 {:>8.0?} p99 {:>8.0?} {:>9.1} found, {:>7.0} a second with {threads}; slowest {}",
            at(50),
            at(99),
            found as f64 / queries.len() as f64,
            load(&index, kind, queries, threads),
            times.last().unwrap().1,
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

fn run(index: &Index, kind: &str, text: &str) -> usize {
    match kind {
        "pinyin" => index.suggest(text, 10).unwrap().len(),
        "phrase" => index.search(&query(&format!("\"{text}\""))).unwrap().total,
        _ => index.search(&query(text)).unwrap().total,
    }
}

fn query(text: &str) -> Query {
    Query { text: text.into(), per_page: 10, ..Query::default() }
}

fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = |line: &&str| line.starts_with("VmHWM") || line.starts_with("RssAnon");
    let lines = status.lines().filter(wanted).map(|line| line.replace('\t', " "));
    lines.collect::<Vec<_>>().join(", ")
}
