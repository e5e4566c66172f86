//! Filters and facets.

use indexer::{Entry, Query};

use crate::{Shelf, caption, titled};

fn shelf() -> Shelf {
    let entry = |id: &str, library: &str, kind: &str, topics: &[&str], audiences: &[&str]| Entry {
        library: library.into(),
        kind: kind.into(),
        topics: topics.iter().map(|topic| (*topic).into()).collect(),
        audiences: audiences.iter().map(|audience| (*audience).into()).collect(),
        language: Some("zh-CN".into()),
        passages: vec![caption(0, "剪纸"), caption(1, "剪纸")],
        ..titled(id, &format!("剪纸 {id}"))
    };
    Shelf::new(&[
        entry("a", "main", "video", &["culture"], &["elders", "children"]),
        entry("b", "main", "document", &["culture", "science"], &["elders"]),
        entry("c", "lanshan", "video", &[], &["children"]),
        Entry { language: None, ..entry("d", "wulian", "video", &["health"], &[]) },
    ])
}

fn counts(shelf: &Shelf, query: &Query, facet: &str) -> Vec<(String, u64)> {
    shelf.index.search(query).unwrap().facets[facet].clone()
}

#[test]
fn facets_count_resources_not_passages() {
    let shelf = shelf();
    for text in ["剪纸", ""] {
        let query = Query { text: text.into(), ..Query::default() };
        let count = |facet| counts(&shelf, &query, facet);
        let pair = |value: &str, count| (value.to_owned(), count);
        assert_eq!(count("library"), [pair("main", 2), pair("lanshan", 1), pair("wulian", 1)]);
        assert_eq!(count("kind"), [pair("video", 3), pair("document", 1)]);
        assert_eq!(count("topic"), [pair("culture", 2), pair("health", 1), pair("science", 1)]);
        assert_eq!(count("audience"), [pair("children", 2), pair("elders", 2)]);
        assert_eq!(count("language"), [pair("zh-CN", 3)]);
    }
}

#[test]
fn filters_restrict_hits_totals_and_facets() {
    let shelf = shelf();
    for text in ["剪纸", ""] {
        let find = |query: Query| {
            let found = shelf.index.search(&query).unwrap();
            let mut ids: Vec<String> = found.hits.into_iter().map(|hit| hit.resource).collect();
            assert_eq!(ids.len(), found.total);
            ids.sort();
            ids.concat()
        };
        let all = || Query { text: text.into(), ..Query::default() };
        let list = |values: &[&str]| values.iter().map(|value| (*value).into()).collect();
        assert_eq!(find(Query { libraries: list(&["main"]), ..all() }), "ab");
        assert_eq!(find(Query { libraries: list(&["lanshan", "wulian"]), ..all() }), "cd");
        assert_eq!(
            find(Query { kinds: list(&["video"]), topics: list(&["culture"]), ..all() }),
            "a"
        );
        assert_eq!(find(Query { audiences: list(&["children"]), ..all() }), "ac");
        assert_eq!(find(Query { languages: list(&["zh-CN"]), ..all() }), "abc");
        assert_eq!(find(Query { libraries: list(&["nowhere"]), ..all() }), "");
        let query = Query { libraries: list(&["main"]), ..all() };
        assert_eq!(
            counts(&shelf, &query, "audience"),
            [("elders".into(), 2), ("children".into(), 1)]
        );
    }
}

#[test]
fn a_word_excluded_from_a_list() {
    let shelf = shelf();
    let query = Query { text: "-剪纸".into(), ..Query::default() };
    assert_eq!(shelf.index.search(&query).unwrap().total, 0);
}
