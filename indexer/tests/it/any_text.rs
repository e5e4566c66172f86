//! Whatever is typed, put or filtered by: an answer, no panic.

use std::sync::LazyLock;

use indexer::{Entry, Error, MAX_QUERY_CHARS, Query, Sort};
use proptest::prelude::*;

use crate::{Shelf, caption, page, titled};

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    Shelf::new(&[
        Entry {
            passages: vec![
                caption(4_000, "今天我们学习黄海渔民的编网技艺"),
                page(2, "a+b C++ ﬁne 3D打印"),
            ],
            description: "日照 rizhao -x \"y\"".into(),
            ..titled("a", "二十四式太极拳入门教学视频")
        },
        titled("b", "日照剪纸"),
        titled("c", ""),
        titled("d", "Rock'n'roll & <b>"),
    ])
});

#[test]
fn too_long_is_refused_and_just_long_enough_is_not() {
    let long = "剪".repeat(MAX_QUERY_CHARS);
    assert_eq!(SHELF.find(&long).total, 0);
    let longer = Query { text: format!("{long}剪"), ..Query::default() };
    let refused = SHELF.index.search(&longer);
    assert!(matches!(refused, Err(Error::QueryTooLong { chars: 1_001, most: 1_000 })));
    let words: String = (0..250).map(|n| format!("{n:02} ")).collect();
    SHELF.find(&words);
    SHELF.find(&"-a ".repeat(333));
    SHELF.find(&"\" ".repeat(500));
    SHELF.find(&"zh ".repeat(333));
    SHELF.find(&"xian".repeat(250));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn anything_typed_is_answered(
        text in prop_oneof![
            ".{0,80}",
            "[\"“”－\\-+*:()\\[\\]{}^~/\\\\ 剪纸日照漁民的a-z0-9'．。\u{301}\u{200b}]{0,60}",
            "([a-z]{1,8}|[太极拳剪纸编网]{1,4}|-|\"| ){0,12}",
        ],
        page in 0usize..4,
        per_page in 0usize..200,
        newest: bool,
    ) {
        let sort = if newest { Sort::Newest } else { Sort::Relevance };
        let found = SHELF.index.search(&Query { text: text.clone(), page, per_page, sort, ..Query::default() });
        let found = found.unwrap();
        prop_assert!(found.hits.len() <= found.total);
        for hit in &found.hits {
            let plain = hit.title.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!plain.contains('<'), "{}", hit.title);
        }
        SHELF.index.suggest(&text, 5).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_title_finds_itself(title in "[\u{4e00}-\u{9fa5}]{2,20}") {
        let shelf = Shelf::new(&[titled("x", &title)]);
        prop_assert_eq!(shelf.ids(&title), ["x"]);
        prop_assert_eq!(shelf.ids(&format!("\"{title}\"")), ["x"]);
    }
}
