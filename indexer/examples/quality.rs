//! How well searches find what they should, how fast, and how large the index is.
//!
//! ```text
//! cargo run --release -p indexer --example quality [folder of corpora] [queries a set] [files]
//! ```
//!
//! The folder has `corpus-*.jsonl.zst` (id, title, body, author), `*.queries.tsv` (id, set,
//! query) and `*.qrels.tsv` (TREC); without it there is nothing to measure.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indexer::{Entry, Index, Passage, PassageKind, Query, Words};

/// The longest passage made of a body, in characters: about a page.
const PAGE_CHARS: usize = 900;

/// The query sets, and the corpora that each searches together.
const SETS: [(&[&str], &[&str]); 2] =
    [(&["qa", "doc"], &["corpus-wiki", "corpus-long"]), (&["poem"], &["corpus-short"])];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/text"),
        PathBuf::from,
    );
    let most = arguments.next().map_or(250, |most| most.parse().unwrap());
    let only = arguments.next().unwrap_or_else(|| "qa doc poem".into());
    if !folder.is_dir() {
        println!("no corpora in {}", folder.display());
        return;
    }
    let begin = Instant::now();
    let words = Words::new("");
    words.warm();
    println!("words begun in {:?}", begin.elapsed());
    for (queries, corpora) in SETS {
        let queries: Vec<&str> =
            queries.iter().copied().filter(|name| only.split(' ').any(|o| o == *name)).collect();
        if queries.is_empty() {
            continue;
        }
        let index_folder = tempfile::tempdir().unwrap();
        let index = build(index_folder.path(), &folder, corpora, &words);
        for name in queries {
            measure(&index, &folder, name, most);
        }
    }
    println!("memory {}", memory());
}

fn build(index_folder: &Path, folder: &Path, corpora: &[&str], words: &Words) -> Index {
    let index = Index::open(index_folder, words.clone()).unwrap();
    let begin = Instant::now();
    let mut records = 0;
    for corpus in corpora {
        let packed = fs::read(folder.join(format!("{corpus}.jsonl.zst"))).unwrap();
        let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            index.put(&entry(&serde_json::from_str(line).unwrap())).unwrap();
            records += 1;
        }
    }
    index.commit(1).unwrap();
    let size: u64 = fs::read_dir(index_folder)
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    println!("{corpora:?}: {records} records in {:.1?}, {} MB", begin.elapsed(), size / 1_000_000);
    commit_one(&index);
    index
}

fn commit_one(index: &Index) {
    let mut times: Vec<Duration> = (0..10)
        .map(|n| {
            let begin = Instant::now();
            let entry =
                Entry { resource: "zz".into(), title: format!("第{n}个"), ..Entry::default() };
            index.put(&entry).unwrap();
            index.commit(n).unwrap();
            begin.elapsed()
        })
        .collect();
    times.sort();
    println!("commit of one entry: {:.1?} in the middle, {:.1?} at most", times[5], times[9]);
}

fn entry(record: &HashMap<String, serde_json::Value>) -> Entry {
    let text = |name: &str| record.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    Entry {
        resource: text("id").into(),
        library: "main".into(),
        kind: "document".into(),
        title: text("title").into(),
        author: text("author").into(),
        passages: (1..)
            .zip(pages(text("body")))
            .map(|(page, text)| Passage {
                kind: PassageKind::Page,
                start_ms: None,
                page: Some(page),
                text,
            })
            .collect(),
        ..Entry::default()
    }
}

fn pages(body: &str) -> Vec<String> {
    let mut pages = vec![String::new()];
    for line in body.split_inclusive('\n') {
        let last = pages.len() - 1;
        if pages[last].chars().count() + line.chars().count() > PAGE_CHARS
            && !pages[last].is_empty()
        {
            pages.push(String::new());
        }
        pages.last_mut().unwrap().push_str(line);
    }
    pages
}

#[derive(Default)]
struct Sums {
    queries: usize,
    reciprocal: f64,
    hit: f64,
    gain: f64,
    times: Vec<Duration>,
}

fn measure(index: &Index, folder: &Path, name: &str, most: usize) {
    let wanted = judgements(&folder.join(format!("{name}.qrels.tsv")));
    let mut sets: BTreeMap<String, Sums> = BTreeMap::new();
    for line in fs::read_to_string(folder.join(format!("{name}.queries.tsv"))).unwrap().lines() {
        let [id, set, text] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else { continue };
        let sums = sets.entry(set.to_owned()).or_default();
        if sums.queries >= most {
            continue;
        }
        let query = Query { text: text.into(), per_page: 10, ..Query::default() };
        let begin = Instant::now();
        let found = index.search(&query).unwrap();
        sums.times.push(begin.elapsed());
        let good = wanted.get(id).map_or(&[][..], Vec::as_slice);
        let ranks: Vec<usize> = (0..found.hits.len())
            .filter(|rank| good.contains(&found.hits[*rank].resource))
            .collect();
        sums.queries += 1;
        sums.reciprocal += ranks.first().map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
        sums.hit += f64::from(u8::from(!ranks.is_empty()));
        sums.gain += gain(ranks.iter().copied()) / gain(0..good.len().clamp(1, 10));
        if std::env::var_os("MISSES").is_some() && ranks.first() != Some(&0) {
            let first = found.hits.first().map(|hit| (&hit.resource, &hit.title));
            println!(
                "  {set} {text} -> {:?} of {}, {good:?} at {:?}",
                first,
                found.total,
                ranks.first()
            );
        }
    }
    for (set, mut sums) in sets {
        let count = sums.queries as f64;
        sums.times.sort();
        let at = |percent: usize| sums.times[(sums.times.len() - 1) * percent / 100];
        println!(
            "{set:>20} {:>4} queries  MRR@10 {:.3}  hit@10 {:.3}  nDCG@10 {:.3}  p50 {:>8.0?}  p99 {:>8.0?}",
            sums.queries,
            sums.reciprocal / count,
            sums.hit / count,
            sums.gain / count,
            at(50),
            at(99),
        );
    }
}

fn gain(ranks: impl Iterator<Item = usize>) -> f64 {
    ranks.map(|rank| 1.0 / ((rank + 2) as f64).log2()).sum()
}

fn judgements(path: &Path) -> HashMap<String, Vec<String>> {
    let mut wanted: HashMap<String, Vec<String>> = HashMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if let [query, _, document, _] = line.split_whitespace().collect::<Vec<_>>()[..] {
            wanted.entry(query.into()).or_default().push(document.into());
        }
    }
    wanted
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = |line: &&str| line.starts_with("VmHWM") || line.starts_with("RssAnon");
    status.lines().filter(wanted).collect::<Vec<_>>().join(", ")
}
