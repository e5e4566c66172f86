//! Completions.

use crate::{Shelf, titled};

fn texts(shelf: &Shelf, typed: &str) -> Vec<String> {
    shelf.index.suggest(typed, 8).unwrap().into_iter().map(|found| found.text).collect()
}

#[test]
fn by_characters_pinyin_initials_and_mixed() {
    let shelf = Shelf::new(&[
        titled("a", "二十四式太极拳入门教学视频"),
        titled("b", "太极拳的由来"),
        titled("c", "日照剪纸教程"),
        titled("d", "長樂的茶"),
    ]);
    for typed in
        ["太", "太极", "taij", "taijiquan", "tjq", "tai ji", "TAIJI", "太ji", "tjquan", "太極"]
    {
        let found = texts(&shelf, typed);
        assert!(found.contains(&"太极拳的由来".into()), "{typed}: {found:?}");
        assert!(found.contains(&"二十四式太极拳入门教学视频".into()), "{typed}: {found:?}");
        assert_eq!(found.len(), if found.contains(&"太极拳".into()) { 3 } else { 2 });
    }
    assert_eq!(texts(&shelf, "taij")[..2], ["太极拳", "太极拳的由来"]);
    for typed in ["rz", "rizhaoj", "rzjz", "剪zhi", "jianzhi教", "jianz"] {
        assert_eq!(texts(&shelf, typed), ["日照剪纸教程"], "{typed}");
    }
    for typed in ["changle", "zhangle", "长乐", "cl"] {
        assert_eq!(texts(&shelf, typed), ["長樂的茶"], "{typed}");
    }
    for typed in ["", " ", "?", "zzz", "剪子", "quan ji"] {
        assert!(texts(&shelf, typed).is_empty(), "{typed}");
    }
}

#[test]
fn words_are_no_resource_and_titles_are_theirs() {
    let shelf = Shelf::new(&[titled("a", "剪纸入门"), titled("b", "日照剪纸")]);
    let found = shelf.index.suggest("jianzhi", 5).unwrap();
    assert_eq!((found[0].text.as_str(), &found[0].resource), ("剪纸", &None));
    assert_eq!((found[1].text.as_str(), found[1].resource.as_deref()), ("剪纸入门", Some("a")));
    assert_eq!((found[2].text.as_str(), found[2].resource.as_deref()), ("日照剪纸", Some("b")));
    assert_eq!(shelf.index.suggest("jianzhi", 1).unwrap().len(), 1);
    assert!(shelf.index.suggest("jianzhi", 0).unwrap().is_empty());
}

#[test]
fn what_is_withdrawn_is_not_suggested() {
    let shelf = Shelf::new(&[titled("a", "剪纸入门"), titled("b", "日照剪纸")]);
    shelf.index.remove("a").unwrap();
    shelf.index.commit(2).unwrap();
    assert_eq!(texts(&shelf, "jz"), ["日照剪纸"]);
}
