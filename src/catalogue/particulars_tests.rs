use proptest::prelude::*;

use super::*;

fn local() -> LocalMark {
    LocalMark {
        origin: " 日照市岚山区 ".into(),
        bearer: "王秀英".into(),
        dialect: "jiaoliao".into(),
        dialect_words: "安东卫口音".into(),
        heritage: "city".into(),
    }
}

fn refused(particulars: Particulars) -> &'static str {
    match particulars.checked() {
        Err(RuleError::BadField { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn texts_are_tidied_and_said_once() {
    let particulars = Particulars {
        keywords: vec![" 剪纸 ".into(), "剪纸".into(), " ".into(), "窗 \n 花".into()],
        contributors: vec![
            Contributor { name: " 李 明 ".into(), role: String::new() },
            Contributor { name: String::new(), role: "editor".into() },
        ],
        learning_minutes: Some(0),
        source_url: " HTTPS://Example.org/a ".into(),
        local: Some(local()),
        ..Particulars::default()
    };
    let kept = particulars.checked().expect("all is well");
    assert_eq!(kept.keywords, ["剪纸", "窗 花"]);
    assert_eq!(kept.contributors, [Contributor { name: "李 明".into(), role: "other".into() }]);
    assert_eq!((kept.learning_minutes, kept.source_url.as_str()), (None, "https://example.org/a"));
    assert_eq!(kept.local.expect("local").origin, "日照市岚山区");
}

#[test]
fn each_refusal_names_its_field() {
    let none = Particulars::default;
    let long = "长".repeat(2_001);
    assert_eq!(refused(Particulars { keywords: vec![long.clone()], ..none() }), "keywords");
    let many = (0..31).map(|n| format!("词{n}")).collect();
    assert_eq!(refused(Particulars { keywords: many, ..none() }), "keywords");
    let role = Contributor { name: "李".into(), role: "king".into() };
    assert_eq!(refused(Particulars { contributors: vec![role], ..none() }), "contributors");
    assert_eq!(refused(Particulars { publisher: long.clone(), ..none() }), "publisher");
    assert_eq!(refused(Particulars { place: long.clone(), ..none() }), "place");
    assert_eq!(refused(Particulars { place_code: "37".into(), ..none() }), "place_code");
    assert_eq!(refused(Particulars { difficulty: "hard".into(), ..none() }), "difficulty");
    for minutes in [-1, 60_001] {
        let particulars = Particulars { learning_minutes: Some(minutes), ..none() };
        assert_eq!(refused(particulars), "learning_minutes");
    }
    assert_eq!(refused(Particulars { evidence: "hearsay".into(), ..none() }), "evidence");
    assert_eq!(refused(Particulars { evidence_words: long, ..none() }), "evidence_words");
    let nowhere = LocalMark { origin: " ".into(), ..local() };
    assert_eq!(refused(Particulars { local: Some(nowhere), ..none() }), "local.origin");
    let dialect = LocalMark { dialect: "klingon".into(), ..local() };
    assert_eq!(refused(Particulars { local: Some(dialect), ..none() }), "local.dialect");
    let heritage = LocalMark { heritage: "world".into(), ..local() };
    assert_eq!(refused(Particulars { local: Some(heritage), ..none() }), "local.heritage");
    for url in ["javascript:alert(1)", "ftp://a.example/", "https://a:b@c.example/", "剪纸"] {
        let particulars = Particulars { source_url: url.into(), ..none() };
        assert_eq!(refused(particulars), "source_url", "{url}");
    }
}

#[test]
fn it_was_made_in_a_year_a_month_or_on_a_day() {
    let made = |text: &str| Particulars { made: text.into(), ..Particulars::default() }.checked();
    for text in ["", "0618", "2019", "2019-05", "2020-02-29"] {
        assert_eq!(made(text).expect("a date").made, text);
    }
    for text in
        ["19", "0000", "2019-13", "2019-5", "2019-02-29", "2019-02-29-01", "去年", "２０１９"]
    {
        assert!(made(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_left_out_of_an_edit_stays() {
    let old =
        Particulars { place: "日照".into(), learning_minutes: Some(5), ..Default::default() };
    let old = Particulars { local: Some(local()), ..old };
    assert_eq!(ParticularsEdit::default().over(old.clone()), old);
    assert_eq!(ParticularsEdit::all(old.clone()).over(Particulars::default()), old);
    let edit = ParticularsEdit {
        place: Some(String::new()),
        learning_minutes: Some(0),
        local: Some(None),
        ..ParticularsEdit::default()
    };
    assert_eq!(edit.over(old).checked(), Ok(Particulars::default()));
}

fn code_of(terms: &'static [super::super::vocabulary::Term]) -> impl Strategy<Value = String> {
    let code = proptest::sample::select(terms).prop_map(|term| term.code.to_owned());
    prop_oneof![Just(String::new()), code]
}

prop_compose! {
    fn marks()(
        origin in "[日照岚山a ]{1,9}", bearer in ".{0,9}", dialect in code_of(DIALECTS),
        dialect_words in ".{0,9}", heritage in code_of(HERITAGE),
    ) -> LocalMark {
        LocalMark { origin, bearer, dialect, dialect_words, heritage }
    }
}

prop_compose! {
    fn particulars()(
        keywords in proptest::collection::vec(".{0,12}", 0..6),
        contributors in proptest::collection::vec((".{0,12}", code_of(ROLES)), 0..4),
        texts in proptest::array::uniform5(".{0,20}"),
        made in "((19|20)[0-9]{2}(-(0[1-9]|1[0-2]))?)?",
        place_code in "(3711(02|03|21)(001)?)?",
        codes in (code_of(DIFFICULTIES), code_of(EVIDENCE)),
        learning_minutes in proptest::option::of(0_i64..=60_000),
        local in proptest::option::of(marks()),
    ) -> Particulars {
        let [publisher, place, rights_holder, evidence_words, evidence_paper] = texts;
        let contributors = contributors.into_iter().map(|(name, role)| Contributor { name, role });
        Particulars {
            keywords, contributors: contributors.collect(), publisher, made, place, place_code,
            difficulty: codes.0, learning_minutes, rights_holder, evidence: codes.1,
            evidence_words, evidence_paper, source_url: String::new(), local,
        }
    }
}

proptest! {
    #[test]
    fn what_is_kept_comes_back_from_json_and_stays_the_same(particulars in particulars()) {
        // A mark of spaces has no origin.
        if let Ok(kept) = particulars.checked() {
            let json = serde_json::to_string(&kept).expect("plain data");
            prop_assert_eq!(&serde_json::from_str::<Particulars>(&json).expect("its own"), &kept);
            prop_assert_eq!(kept.clone().checked(), Ok(kept.clone()));
            prop_assert_eq!(ParticularsEdit::all(kept.clone()).over(Particulars::default()).checked(), Ok(kept));
        }
    }
}
