//! What else a query may say, and what is made of one that finds nothing.

use indexer::{Entry, Query, Stands, Words};

use crate::{Shelf, caption, titled};

fn by(resource: &str, title: &str, author: &str) -> Entry {
    Entry { author: author.into(), ..titled(resource, title) }
}

#[test]
fn parts_of_a_resource_are_named() {
    let shelf = Shelf::new(&[
        by("moon", "静夜思", "李白"),
        Entry { description: "李白的朋友".into(), ..by("spring", "春望", "杜甫") },
        by("book", "李白诗选", "张三"),
    ]);
    assert_eq!(shelf.ids("作者:李白"), ["moon"]);
    assert_eq!(shelf.ids("author:李白"), ["moon"]);
    assert_eq!(shelf.ids("标题：李白"), ["book"]);
    assert_eq!(shelf.ids("李白 -作者:李白 -標題:\"诗选\""), ["spring"]);
    assert_eq!(shelf.ids("作者:白"), ["moon"]);
    assert_eq!(shelf.ids("作者:李白 春望"), Vec::<String>::new());
    assert_eq!(shelf.ids("春望 \"静夜思\""), ["moon"]);
}

#[test]
fn a_single_character_is_found_wherever_it_stands() {
    let shelf = Shelf::new(&[
        titled("first", "网络安全"),
        titled("last", "撒网"),
        titled("between", "学网页设计"),
        Entry { passages: vec![caption(0, "把网，拉上来")], ..titled("alone", "海边") },
    ]);
    let mut ids = shelf.ids("网");
    ids.sort();
    assert_eq!(ids, ["alone", "between", "first", "last"]);
    assert_eq!(shelf.ids("页"), ["between"]);
    assert_eq!(shelf.ids("\"网\" 拉"), ["alone"]);
    assert_eq!(shelf.find("拉").hits[0].moments.len(), 1);
}

#[test]
fn characters_that_sound_the_same_are_found_when_nothing_better_is() {
    let shelf =
        Shelf::new(&[titled("a", "剪纸入门"), titled("b", "日照剪纸"), titled("c", "教程")]);
    let found = shelf.find("剪只");
    assert!(found.heard);
    assert_eq!(found.total, 2);
    assert!(found.hits[0].title.contains("<mark>剪纸</mark>"), "{}", found.hits[0].title);
    assert!(!shelf.find("剪纸").heard);
    assert!(!shelf.find("\"剪只\"").heard);
    assert_eq!(shelf.ids("剪子"), Vec::<String>::new());
}

#[test]
fn words_are_proposed_for_those_that_are_nowhere() {
    let shelf = Shelf::new(&[
        titled("a", "剪纸入门"),
        titled("b", "日照剪纸"),
        titled("c", "Python 编程入门"),
        titled("d", "Python 数据分析"),
    ]);
    let meant = |text| shelf.index.did_you_mean(text).unwrap();
    assert_eq!(meant("剪只 入门").as_deref(), Some("剪纸 入门"));
    assert_eq!(meant("jianzi").as_deref(), Some("剪纸"));
    assert_eq!(meant("pyhton 入门").as_deref(), Some("Python 入门"));
    for text in ["剪纸", "Python", "", "量子力学", "\"", &"剪".repeat(1_000)] {
        assert_eq!(meant(text), None, "{text}");
    }
    assert!(shelf.index.did_you_mean(&"剪".repeat(1_001)).is_err());
}

#[test]
fn words_and_synonyms_of_a_librarian_count_at_once() {
    let shelf = Shelf::new(&[titled("a", "马铃薯的种植"), titled("b", "无线网络设置")]);
    assert_eq!(shelf.ids("地蛋"), Vec::<String>::new());
    shelf.index.set_words(Words::with_synonyms("", "地蛋 = 馬鈴薯\nwifi 无线网络"));
    assert_eq!(shelf.ids("地蛋"), ["a"]);
    assert_eq!(shelf.ids("WiFi"), ["b"]);
    assert!(shelf.find("地蛋").hits[0].title.contains("<mark>马铃薯</mark>"));
}

#[test]
fn what_is_new_comes_a_little_higher() {
    let year_ms = 365 * 86_400_000;
    let old = Entry { published_ms: year_ms, ..titled("old", "剪纸入门") };
    let new = Entry { published_ms: 10 * year_ms, ..titled("new", "剪纸初步") };
    let better = Entry { published_ms: 1, ..titled("better", "剪纸") };
    let shelf = Shelf::new(&[old, better, new]);
    let query = Query { text: "剪纸".into(), now_ms: 10 * year_ms, ..Query::default() };
    let found = shelf.index.search(&query).unwrap();
    let ids: Vec<&str> = found.hits.iter().map(|hit| hit.resource.as_str()).collect();
    assert_eq!(ids, ["better", "new", "old"]);
    let explained = shelf.index.explain(&query, "new").unwrap();
    assert!((explained.freshness - 1.05).abs() < 1e-4, "{}", explained.freshness);
    assert!((explained.score - found.hits[1].score).abs() < 1e-3);
}

#[test]
fn a_score_is_explained() {
    let entry =
        Entry { passages: vec![caption(0, "先看剪纸")], ..titled("a", "太极拳教学") };
    let shelf = Shelf::new(&[entry, titled("b", "剪纸")]);
    let query = Query { text: "太极拳 剪纸".into(), ..Query::default() };
    let explained = shelf.index.explain(&query, "a").unwrap();
    assert!(explained.matches);
    let score = shelf.index.search(&query).unwrap().hits[0].score;
    assert!((explained.score - score).abs() < 1e-3);
    assert_eq!(explained.stands, Stands::Apart);
    let places = |text: &str| {
        let word = explained.words.iter().find(|word| word.text == text).unwrap();
        word.found.iter().map(|at| (at.title, at.start_ms)).collect::<Vec<_>>()
    };
    assert_eq!(places("剪纸"), [(false, Some(0))]);
    assert_eq!(places("太极拳"), [(true, None)]);
    let query = Query { text: "太极拳教学".into(), ..Query::default() };
    let explained = shelf.index.explain(&query, "a").unwrap();
    assert_eq!(explained.stands, Stands::SameTitle);
    assert!(explained.run > 0.0);
    assert!(!shelf.index.explain(&query, "b").unwrap().matches);
    assert_eq!(shelf.index.explain(&query, "none").unwrap(), indexer::Explanation::default());
}

#[test]
fn what_is_vouched_for_comes_a_little_higher() {
    let marked = |id: &str, title: &str, local: &[&str]| Entry {
        local: local.iter().map(|value| (*value).to_owned()).collect(),
        ..titled(id, title)
    };
    let shelf = Shelf::new(&[
        marked("plain", "剪纸入门", &[]),
        marked("local", "剪纸初步", &["true"]),
        marked("vouched", "剪纸基础", &["true", indexer::VOUCHED]),
        marked("better", "剪纸", &[]),
    ]);
    assert_eq!(shelf.ids("剪纸")[..2], ["better", "vouched"]);
    let query = Query { text: "剪纸".into(), ..Query::default() };
    let found = shelf.index.search(&query).unwrap();
    let counted = [("true".to_owned(), 2), (indexer::VOUCHED.to_owned(), 1)];
    assert_eq!(found.facets["local"], counted);
    let explained = shelf.index.explain(&query, "vouched").unwrap();
    assert!((explained.vouched - 1.05).abs() < 1e-4, "{}", explained.vouched);
    assert!((explained.score - found.hits[1].score).abs() < 1e-3);
    let only = Query { local: vec!["true".into()], ..query };
    assert_eq!(shelf.index.search(&only).unwrap().total, 2);
}

#[test]
fn a_facet_counts_what_could_be_chosen_beside() {
    let of = |id: &str, kind: &str, library: &str| Entry {
        kind: kind.into(),
        library: library.into(),
        ..titled(id, "剪纸")
    };
    let shelf =
        Shelf::new(&[of("a", "video", "x"), of("b", "video", "y"), of("c", "document", "x")]);
    let query = Query { text: "剪纸".into(), kinds: vec!["video".into()], ..Query::default() };
    let found = shelf.index.search(&query).unwrap();
    assert_eq!(found.total, 2);
    assert_eq!(found.facets["kind"], [("video".into(), 2), ("document".into(), 1)]);
    assert_eq!(found.facets["library"], [("x".into(), 1), ("y".into(), 1)]);
}

#[test]
fn one_resource_shows_all_its_places() {
    let passages = (0..120).map(|at| caption(at * 1_000, "剪纸的第几步")).collect();
    let shelf = Shelf::new(&[Entry { passages, ..titled("a", "课") }, titled("b", "剪纸")]);
    let query = Query { text: "剪纸".into(), resource: Some("a".into()), ..Query::default() };
    let found = shelf.index.search(&query).unwrap();
    assert_eq!((found.total, found.hits[0].moments.len()), (1, 100));
    assert_eq!(found.hits[0].moments[0].start_ms, Some(0));
    assert_eq!(shelf.find("剪纸").hits.iter().map(|hit| hit.moments.len()).max(), Some(3));
}

#[test]
fn a_search_among_some_shows_the_best_places_of_each() {
    let steps = |from: i64| (0..5).map(|at| caption((from + at) * 1_000, "剪纸的一步")).collect();
    let shelf = Shelf::new(&[Entry { passages: steps(0), ..titled("a", "第一课") }]);
    shelf.put(&[
        Entry { passages: steps(100), ..titled("b", "第二课") },
        titled("c", "剪纸"),
        titled("d", "别的"),
    ]);
    let among = Some(vec!["b".into(), "a".into(), "d".into(), "none".into()]);
    let query = Query { text: "剪纸".into(), among, ..Query::default() };
    let found = shelf.index.search(&query).unwrap();
    assert_eq!((found.total, found.facets["kind"].clone()), (2, vec![("video".into(), 2)]));
    for hit in &found.hits {
        let first = if hit.resource == "a" { 0..100_000 } else { 100_000..200_000 };
        assert_eq!(hit.moments.len(), 3, "{}", hit.resource);
        assert!(hit.moments.iter().all(|moment| first.contains(&moment.start_ms.unwrap())));
    }
    let nothing = Query { among: Some(Vec::new()), ..query };
    assert_eq!(shelf.index.search(&nothing).unwrap().total, 0);
}
