//! Start, memory, writing and searching, on made-up resources.
//!
//! ```text
//! cargo bench -p indexer
//! ```
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use indexer::{Entry, Index, Passage, PassageKind, Query, Words};

const RESOURCES: usize = 20_000;
const CAPTIONS: usize = 8;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let index = start(folder.path());
    search(&index);
    write(&index);
    println!("memory at the end: {}", memory());
}

/// Text of made-up words, the same every time.
fn text(seed: usize, words: usize) -> String {
    const WORDS: [&str; 32] = [
        "剪纸",
        "太极拳",
        "渔民",
        "编网",
        "黄海",
        "技艺",
        "日照",
        "绿茶",
        "教程",
        "入门",
        "视频",
        "老年人",
        "智能手机",
        "社区",
        "教育",
        "课程",
        "资源",
        "法律",
        "健康",
        "种植",
        "大棚",
        "蔬菜",
        "创业",
        "普法",
        "急救",
        "书法",
        "国画",
        "民歌",
        "舞蹈",
        "摄影",
        "编程",
        "网络",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let pick = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Low numbers are likelier, as with real words.
        WORDS[((state >> 16) % 32).min((state >> 40) % 32)]
    };
    (0..words).map(pick).collect()
}

fn entry(number: usize, passages: usize) -> Entry {
    Entry {
        resource: format!("r{number:06}"),
        library: format!("l{}", number % 50),
        kind: "video".into(),
        title: text(number, 5),
        description: text(number + 1_000_000, 25),
        topics: vec![format!("t{}", number % 9)],
        published_ms: i64::try_from(number).unwrap(),
        passages: (0..passages)
            .map(|at| Passage {
                kind: PassageKind::Caption,
                start_ms: i64::try_from(at * 3_600).ok(),
                page: None,
                text: text(number * 10_000 + at, 8),
            })
            .collect(),
        ..Entry::default()
    }
}

fn build(folder: &Path) {
    let index = Index::open(folder, Words::new("")).unwrap();
    let begin = Instant::now();
    for number in 0..RESOURCES {
        index.put(&entry(number, CAPTIONS)).unwrap();
    }
    index.commit(1).unwrap();
    println!("{RESOURCES} resources of {CAPTIONS} captions put in {:.1?}", begin.elapsed());
}

fn start(folder: &Path) -> Index {
    let begin = Instant::now();
    let index = Index::open(folder, Words::new("")).unwrap();
    println!("opened in {:.1?}", begin.elapsed());
    index.search(&Query { text: "剪纸".into(), ..Query::default() }).unwrap();
    println!("first answer, dictionary read, after {:.1?}; {}", begin.elapsed(), memory());
    index
}

fn search(index: &Index) {
    for text in [
        "",
        "剪纸",
        "网络",
        "太极拳 教学",
        "老年人智能手机教程",
        "rizhao",
        "tjq",
        "\"渔民编网\"",
        "日照的绿茶应该在什么时候采摘？",
        "-剪纸 健康",
    ] {
        let query = Query { text: text.into(), ..Query::default() };
        let total = index.search(&query).unwrap().total;
        let (middle, worst) = times(200, || drop(index.search(&query).unwrap()));
        println!("{middle:>9.0?} p50 {worst:>9.0?} p99, {total:>6} found: {text}");
    }
    for typed in ["剪", "tjq", "rizhao", "jianzhi教程"] {
        let (middle, worst) = times(200, || drop(index.suggest(typed, 8).unwrap()));
        println!("{middle:>9.0?} p50 {worst:>9.0?} p99 to suggest: {typed}");
    }
}

fn write(index: &Index) {
    let (middle, worst) = times(10, || {
        index.put(&entry(7, CAPTIONS)).unwrap();
        index.commit(2).unwrap();
    });
    println!("{middle:.1?} p50 {worst:.1?} p99 to put and commit one");
    let (middle, worst) = times(5, || {
        index.put(&entry(8, 2_000)).unwrap();
        index.commit(3).unwrap();
    });
    println!("{middle:.1?} p50 {worst:.1?} p99 to put and commit a video of 2,000 captions");
}

fn times(count: usize, mut run: impl FnMut()) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .collect();
    times.sort();
    (times[count / 2], times[(count - 1) * 99 / 100])
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = |line: &&str| line.starts_with("VmRSS") || line.starts_with("RssAnon");
    let lines: Vec<String> = status
        .lines()
        .filter(wanted)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.join(", ")
}
