//! The query sets of `../shared/text`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use indexer::{Entry, Found, Index, Passage, PassageKind, Query, Words};

use crate::process::{at, memory, size};

/// The longest passage made of a body, in characters: about a page.
const PAGE_CHARS: usize = 900;

/// The query sets, and the corpora that each searches together.
const SETS: [(&[&str], &[&str]); 2] =
    [(&["qa", "doc"], &["corpus-wiki", "corpus-long"]), (&["poem"], &["corpus-short"])];

/// Prints the marks of `sets`, names with spaces between.
pub(crate) fn measure(texts: &Path, indexes: &Path, sets: &str, half: Option<u32>) {
    if !texts.is_dir() {
        println!("no corpora in {}", texts.display());
        return;
    }
    let words = Words::new("");
    words.warm();
    let mut ranks = String::new();
    for (queries, corpora) in SETS {
        let wanted = |name: &&str| sets.split(' ').any(|set| set == *name);
        let queries: Vec<&str> = queries.iter().copied().filter(wanted).collect();
        if queries.is_empty() {
            continue;
        }
        let index = build(&indexes.join(corpora.join("-")), texts, corpora, &words);
        for name in queries {
            marks(&index, texts, name, half, &mut ranks);
        }
    }
    if let Some(file) = std::env::var_os("RANKS") {
        fs::write(file, ranks).unwrap();
    }
    println!("memory {}", memory());
}

fn build(folder: &Path, texts: &Path, corpora: &[&str], words: &Words) -> Index {
    let index = Index::open(folder, words.clone()).unwrap();
    if !index.is_empty().unwrap() {
        return index;
    }
    let begin = Instant::now();
    let mut records = 0;
    for corpus in corpora {
        let packed = fs::read(texts.join(format!("{corpus}.jsonl.zst"))).unwrap();
        let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            index.put(&entry(&serde_json::from_str(line).unwrap())).unwrap();
            records += 1;
        }
    }
    index.commit(1).unwrap();
    let megabytes = size(folder) / 1_000_000;
    println!("{corpora:?}: {records} records in {:.1?}, {megabytes} MB", begin.elapsed());
    index
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
    reciprocal: f64,
    hit: f64,
    gain: f64,
    times: Vec<Duration>,
}

fn marks(index: &Index, texts: &Path, name: &str, half: Option<u32>, ranks: &mut String) {
    let judged = judgements(&texts.join(format!("{name}.qrels.tsv")));
    let mut sets: BTreeMap<String, Sums> = BTreeMap::new();
    for line in fs::read_to_string(texts.join(format!("{name}.queries.tsv"))).unwrap().lines() {
        let [id, set, text] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else { continue };
        let Some(good) = judged.get(id) else { continue };
        if half.is_some_and(|half| half != half_of(&good[0])) {
            continue;
        }
        let query = Query { text: text.into(), per_page: 10, ..Query::default() };
        let begin = Instant::now();
        let found = index.search(&query).unwrap();
        let taken = begin.elapsed();
        let found_at: Vec<usize> = (0..found.hits.len())
            .filter(|rank| good.contains(&found.hits[*rank].resource))
            .collect();
        let gain = gain(found_at.iter().copied()) / gain(0..good.len().clamp(1, 10));
        for part in [name.to_owned(), format!("{name}: {set}")] {
            let sums = sets.entry(part).or_default();
            sums.times.push(taken);
            sums.reciprocal += found_at.first().map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
            sums.hit += f64::from(u8::from(!found_at.is_empty()));
            sums.gain += gain;
        }
        tell(ranks, set, id, text, gain, good, &found);
    }
    for (set, mut sums) in sets {
        let count = sums.times.len() as f64;
        sums.times.sort();
        println!(
            "{set:>26} {:>4} queries  nDCG@10 {:.4}  MRR@10 {:.4}  hit@10 {:.4}  p50 {:>8.0?}  p99 {:>8.0?}",
            sums.times.len(),
            sums.gain / count,
            sums.reciprocal / count,
            sums.hit / count,
            at(&sums.times, 50),
            at(&sums.times, 99),
        );
    }
}

fn tell(
    ranks: &mut String,
    set: &str,
    id: &str,
    text: &str,
    gain: f64,
    good: &[String],
    found: &Found,
) {
    let hits = found.hits.iter().take(3);
    let hits: Vec<_> = hits.map(|hit| format!("{} {}", hit.resource, hit.title)).collect();
    let good = good.join(",");
    let total = found.total;
    writeln!(ranks, "{set}\t{id}\t{gain:.4}\t{text}\t{good}\t{total}\t{}", hits.join("\t"))
        .unwrap();
}

fn gain(ranks: impl Iterator<Item = usize>) -> f64 {
    ranks.map(|rank| 1.0 / ((rank + 2) as f64).log2()).sum()
}

/// All queries for one document fall in the same half.
fn half_of(document: &str) -> u32 {
    document.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) >> 3
        & 1
}

fn judgements(path: &Path) -> HashMap<String, Vec<String>> {
    let mut judged: HashMap<String, Vec<String>> = HashMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if let [query, _, document, grade] = line.split_whitespace().collect::<Vec<_>>()[..]
            && grade != "0"
        {
            judged.entry(query.into()).or_default().push(document.into());
        }
    }
    judged
}
