//! Marks in titles, snippets and moments.

use indexer::Entry;

use crate::{Shelf, caption, titled};

#[test]
fn matches_are_marked_in_the_original() {
    let shelf = Shelf::new(&[
        Entry {
            description: "跟<老师>学".into(),
            passages: vec![caption(4_000, "今天我们学习黃海漁民的编网技艺 & more")],
            ..titled("net", "黄海渔民与海")
        },
        titled("paper", "日照剪纸"),
    ]);
    for query in ["渔民", "漁民", "yumin", "\"渔民\""] {
        let hit = shelf.find(query).hits.remove(0);
        assert_eq!(hit.title, "黄海<mark>渔民</mark>与海", "{query}");
        assert_eq!(hit.moments[0].text, "今天我们学习黃海<mark>漁民</mark>的编网技艺 &amp; more");
        assert_eq!(hit.snippet, hit.moments[0].text);
    }
    for query in ["rizhao", "rz", "ri zhao"] {
        assert_eq!(shelf.find(query).hits[0].title, "<mark>日照</mark>剪纸", "{query}");
    }
    assert_eq!(shelf.find("日照 剪纸").hits[0].title, "<mark>日照</mark><mark>剪纸</mark>");
    assert_eq!(shelf.find("日照剪纸").hits[0].title, "<mark>日照剪纸</mark>");
    let listed = shelf.find("").hits;
    let net = listed.iter().find(|hit| hit.resource == "net").unwrap();
    assert_eq!(net.snippet, "跟&lt;老师&gt;学");
    assert!(net.moments.is_empty());
}

#[test]
fn the_description_is_shown_when_it_matches() {
    let shelf = Shelf::new(&[Entry {
        description: "渔民的故事".into(),
        passages: vec![caption(0, "渔民")],
        ..titled("a", "海")
    }]);
    assert_eq!(shelf.find("渔民").hits[0].snippet, "<mark>渔民</mark>的故事");
    assert_eq!(shelf.find("海").hits[0].snippet, "渔民的故事");
}

#[test]
fn without_a_description_the_text_begins() {
    let shelf =
        Shelf::new(&[Entry { passages: vec![caption(0, "开头的话")], ..titled("a", "海") }]);
    assert_eq!(shelf.find("海").hits[0].snippet, "开头的话");
}
