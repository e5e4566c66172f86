use super::*;

fn of(file_name: &str, text: &str) -> Guess {
    guess(&Clues { file_name, text, written: true, ..Clues::default() })
}

#[test]
fn a_village_teachers_files_are_understood() {
    for (name, topic, audience, local) in [
        ("黄海渔民编网技艺.mp4", Some("culture-arts"), Some("farmers"), true),
        ("老年人智能手机使用教程.pdf", Some("vocational-skills"), Some("elders"), false),
        ("茶树修剪与病虫害防治.docx", Some("technology-extension"), Some("farmers"), false),
        ("八段锦跟练 1080P.mp4", Some("health"), Some("elders"), false),
        ("民法典进社区_普法宣讲.pptx", Some("law"), None, false),
        ("幼儿剪纸入门.mp4", Some("culture-arts"), Some("children"), true),
        ("直播带货怎么做.mp4", Some("entrepreneurship"), None, false),
        ("家风家训故事.mp3", Some("civility"), None, false),
        ("VID_20231012_093015.mp4", None, None, false),
    ] {
        let guess = of(name, "");
        assert_eq!(guess.topics.first().map(String::as_str), topic, "{name}");
        assert_eq!(guess.audiences.first().map(String::as_str), audience, "{name}");
        assert_eq!(guess.local, local, "{name}");
    }
}

#[test]
fn nothing_telling_gives_the_librarys_topics_and_no_more() {
    let topics = ["law".to_owned()];
    let guess = guess(&Clues { file_name: "会议.mp4", topics: &topics, ..Clues::default() });
    assert_eq!((guess.topics, guess.audiences), (topics.to_vec(), Vec::new()));
    assert_eq!(guess.title, "会议");
}

#[test]
fn the_title_is_the_documents_own_where_its_text_begins_so() {
    let clues = Clues {
        file_name: "新建 Microsoft Word 文档.docx",
        own_title: "Microsoft Word - 模板.doc",
        text: "岚山渔民号子\n第 1 页\n渔民号子是沿海渔民在出海捕鱼、拉网、装卸时唱的劳动歌曲，流传了三百多年。号子分为起网、拉网等几类。",
        written: true,
        ..Clues::default()
    };
    let own = Clues { own_title: "岚山渔民号子", ..clues.clone() };
    assert_eq!(guess(&own).title, "岚山渔民号子");
    // A template's title is better than none.
    assert_eq!(guess(&clues).title, "模板");
    let none = Clues { own_title: "", ..clues };
    let guess = guess(&none);
    assert_eq!(guess.title, "岚山渔民号子");
    assert!(guess.description.starts_with("渔民号子是沿海"), "{}", guess.description);
    assert!(guess.description.ends_with('。'), "{}", guess.description);
    assert!(guess.local);
}

#[test]
fn a_place_is_what_its_organisation_is_named_after() {
    assert_eq!(place_of("岚山头街道社区教育中心"), "岚山头街道");
    assert_eq!(place_of("日照社区大学"), "日照");
    assert_eq!(place_of("官草汪村"), "官草汪村");
    assert_eq!(place_of(""), "");
}

/// The corpora say no topics. What they are made of does: poems are art, recipes, manuals of
/// programs and drawings are skills, and so on; see docs/metadata.md for what it is worth.
#[test]
fn most_guesses_for_the_corpora_are_right() {
    let texts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/text");
    let Ok(packed) = std::fs::read(texts.join("corpus-long.jsonl.zst")) else {
        println!("no corpora here");
        return;
    };
    let long = zstd::decode_all(packed.as_slice()).expect("zstd");
    let short = std::fs::read(texts.join("corpus-short.jsonl.zst")).expect("beside it");
    let short = zstd::decode_all(short.as_slice()).expect("zstd");
    let expected: [(&str, &[&str]); 6] = [
        ("howtocook", &["vocational-skills", "health"]),
        ("oiwiki", &["science", "vocational-skills"]),
        ("d2l", &["science", "vocational-skills"]),
        ("gnome", &["vocational-skills"]),
        ("lohelp", &["vocational-skills"]),
        ("poems", &["culture-arts"]),
    ];
    let (mut right, mut wrong, mut none) = (0, 0, 0);
    for (source, topics) in expected {
        let of_source = |line: &&str| {
            source == "poems"
                || line.contains(&format!("\"id\": \"{source}"))
                || line.contains(&format!("\"id\":\"{source}"))
        };
        let all = if source == "poems" { &short } else { &long };
        let all = String::from_utf8_lossy(all);
        let (mut hits, mut misses, mut silent) = (0, 0, 0);
        let step = if source == "poems" { 500 } else { 3 };
        for line in all.lines().filter(of_source).step_by(step) {
            let record: serde_json::Value = serde_json::from_str(line).expect("a record");
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            let (title, body) = (text("title"), text("body"));
            let body: String = body.chars().take(MAX_TEXT).collect();
            match of(&format!("{title}.pdf"), &body).topics.first() {
                None => silent += 1,
                Some(topic) if topics.contains(&topic.as_str()) => hits += 1,
                Some(_) => misses += 1,
            }
        }
        println!("{source}: {hits} right, {misses} wrong, {silent} without a guess");
        (right, wrong, none) = (right + hits, wrong + misses, none + silent);
    }
    assert!(right > 3 * wrong, "{right} right, {wrong} wrong, {none} without a guess");
}
