//! Chinese, Traditional, pinyin: the probes that a search in Chinese must pass.

use indexer::Entry;

use crate::{Shelf, caption, page, titled};

fn shelf() -> Shelf {
    Shelf::new(&[
        titled("resources", "日照市社区教育课程资源库建设"),
        Entry {
            passages: vec![
                caption(1_000, "大家好，欢迎来到海边"),
                caption(4_000, "今天我们学习黄海渔民的编网技艺"),
            ],
            ..titled("net", "非遗课堂第三集")
        },
        titled("taiji", "二十四式太极拳入门教学视频"),
        titled("phone", "老年人智能手机使用教程"),
        titled("paper", "日照剪纸"),
        Entry {
            description: "从折纸开始，一步一步学".into(),
            kind: "document".into(),
            passages: vec![page(1, "第一章 认识工具"), page(2, "第二章 剪纸的\n历史与传承")],
            ..titled("book", "传统手工教程")
        },
        titled("english", "Social networking for beginners"),
    ])
}

#[track_caller]
fn found(shelf: &Shelf, query: &str, resource: &str) {
    let ids = shelf.ids(query);
    assert!(ids.contains(&resource.to_owned()), "{query} finds {ids:?}, not {resource}");
}

#[test]
fn words_within_a_title() {
    let shelf = shelf();
    for query in ["日照", "社区教育", "课程资源", "资源库", "教育资源", "建设", "日照市", "照"]
    {
        found(&shelf, query, "resources");
    }
    assert_eq!(shelf.ids("太极拳 教学"), ["taiji"]);
    assert_eq!(shelf.ids("太极拳教学"), ["taiji"]);
    assert_eq!(shelf.ids("手机教程"), ["phone"]);
}

#[test]
fn words_within_a_caption() {
    let shelf = shelf();
    for query in ["渔民", "编网", "黄海", "技艺", "渔民编网", "“编网技艺”", "黄海 技艺"]
    {
        let found = shelf.find(query);
        assert_eq!(found.hits[0].resource, "net", "{query}");
        assert_eq!(found.hits[0].moments[0].start_ms, Some(4_000), "{query}");
        assert_eq!(found.hits[0].moments.len(), 1, "{query}");
    }
}

#[test]
fn words_broken_by_a_line() {
    let found = shelf().find("剪纸的历史");
    assert_eq!(found.hits[0].resource, "book");
    assert_eq!(found.hits[0].moments[0].page, Some(2));
}

#[test]
fn traditional_and_wide_and_accented() {
    let shelf = shelf();
    assert_eq!(shelf.ids("漁民編網"), ["net"]);
    for query in ["老年人智能手機", "老年人智慧型手機"] {
        assert_eq!(shelf.ids(query), ["phone"], "{query}");
    }
    assert_eq!(shelf.ids("ＮＥＴＷＯＲＫＳ"), ["english"]);
}

#[test]
fn pinyin_in_full_initials_and_mixed() {
    let shelf = shelf();
    for query in ["rizhao", "ri zhao", "rìzhào", "rz", "RIZHAO", "ri'zhao"] {
        found(&shelf, query, "paper");
        found(&shelf, query, "resources");
    }
    for query in ["rz jianzhi", "jianzhi rizhao", "rzjz", "rizhaojianzhi", "rizhaojz"] {
        assert_eq!(shelf.ids(query), ["paper"], "{query}");
    }
    for query in ["taijiquan", "tai ji quan", "tjq", "taijiq", "tjquan"] {
        assert_eq!(shelf.ids(query), ["taiji"], "{query}");
    }
    assert_eq!(shelf.ids("jianzhi教程"), ["book"]);
    assert_eq!(shelf.ids("yumin bianwang"), ["net"]);
    assert_eq!(shelf.ids("bianwang jiyi")[0], "net");
}

#[test]
fn what_is_not_there_is_not_found() {
    let shelf = shelf();
    for query in [
        "剪子",
        "纸剪",
        "极太",
        "渔网",
        "量子力学",
        "jianzi",
        "zhijian",
        "qjt",
        "照日",
        "剪子 教程",
    ] {
        assert_eq!(shelf.ids(query), Vec::<String>::new(), "{query}");
    }
}

#[test]
fn latin_words_are_stemmed() {
    let shelf = shelf();
    for query in ["networks", "network", "Beginner", "social network"] {
        assert_eq!(shelf.ids(query), ["english"], "{query}");
    }
}

#[test]
fn english_comes_before_pinyin() {
    let shelf = Shelf::new(&[
        titled("moon", "嫦娥奔月"),
        Entry { passages: vec![caption(0, "we change the world")], ..titled("talk", "演讲") },
    ]);
    assert_eq!(shelf.ids("change"), ["talk", "moon"]);
    assert_eq!(shelf.ids("chang'e"), ["moon"]);
}

#[test]
fn another_name_for_the_same() {
    let shelf = Shelf::new(&[titled("dialog", "修改对话框"), titled("file", "整理文件夹")]);
    assert_eq!(shelf.ids("對話方塊"), ["dialog"]);
    assert_eq!(shelf.ids("資料夾"), ["file"]);
}
