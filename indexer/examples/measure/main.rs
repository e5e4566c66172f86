//! Measures the index alone, in this process: how fast, how large, how well it finds.
//!
//! ```text
//! measure build RECORDS.jsonl INDEX              an index of what is in the file, and changes to it
//! measure ask INDEX QUERIES.json [THREADS]       one line a kind of query
//! measure quality TEXTS INDEXES [SETS] [HALF]    marks of the query sets; indexes are kept in INDEXES
//! ```
//!
//! A record is a line `{id, title, author, text}`; the text becomes a passage. Queries are
//! `{kind: [query]}`. Both are made by `benches/search.py` and `../shared/bench/make_corpus.py`.
//!
//! `TEXTS` has `corpus-*.jsonl.zst` (id, title, body, author), `*.queries.tsv` (id, set, query) and
//! `*.qrels.tsv` (TREC). `HALF` is 0 or 1: those queries alone whose document falls in that half,
//! so that what was tuned on one is checked on the other. `RANKS=FILE` has each query's gain and
//! first hits written there.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

mod process;
mod quality;
mod records;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["build", records, index] => records::build(records, Path::new(index)),
        ["ask", index, queries] => records::ask(Path::new(index), queries, 2),
        ["ask", index, queries, threads] => {
            records::ask(Path::new(index), queries, threads.parse().unwrap());
        }
        ["quality", texts, indexes, ref rest @ ..] => {
            let sets = rest.first().unwrap_or(&"qa doc poem");
            let half = rest.get(1).map(|half| half.parse().unwrap());
            quality::measure(Path::new(texts), Path::new(indexes), sets, half);
        }
        _ => println!(
            "measure build RECORDS INDEX | ask INDEX QUERIES [THREADS] | quality TEXTS INDEXES [SETS] [HALF]"
        ),
    }
}
