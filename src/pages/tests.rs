//! Whole pages: what must be in them, and what must never be.

use jiff::tz::TimeZone;

use super::*;
use crate::catalogue::{Chapter, Kind, Level, LocalMark, OutlineItem, Particulars, Stage, Vouched};

const MANIFEST: &str = r#"{
  "src/style/main.css": { "file": "assets/style-a.css", "src": "src/style/main.css", "isEntry": true },
  "src/app.ts": { "file": "assets/app-b.js", "isEntry": true },
  "src/captions.ts": { "file": "assets/captions-h.js", "css": ["assets/captions-i.css"], "isEntry": true },
  "src/player.ts": { "file": "assets/player-c.js", "css": ["assets/player-d.css"], "isEntry": true },
  "src/viewer.ts": { "file": "assets/viewer-e.js", "isEntry": true },
  "src/courses.ts": { "file": "assets/courses-j.js", "isEntry": true },
  "src/studio.ts": { "file": "assets/studio-f.js", "isEntry": true },
  "src/review.ts": { "file": "assets/review-j.js", "isEntry": true }
}"#;

fn shell(lang: Lang) -> Shell {
    Shell {
        lang,
        theme: Theme::System,
        elder: false,
        net_name: "测试网".into(),
        visitor: None,
        csrf: "proof".into(),
        path: "/search?q=%E5%89%AA&lang=zh".into(),
        origin: "https://learn.example".into(),
        zone: TimeZone::UTC,
        assets: Assets::from_manifest(MANIFEST).unwrap(),
    }
}

fn signed_in() -> Shell {
    let visitor = Visitor {
        name: "林老师".into(),
        may_author: true,
        may_review: false,
        may_administer: false,
        administers: false,
    };
    Shell { visitor: Some(visitor), ..shell(Lang::Zh) }
}

fn video() -> ResourceView {
    ResourceView {
        path: "/resources/r1".into(),
        title: "<b>编网</b> & \"网\"".into(),
        description: "第一段\n第二段</script>".into(),
        kind: Kind::Video,
        stage: Stage::Published,
        library_name: "总库".into(),
        library_href: "/libraries/main".into(),
        author: "王守海".into(),
        language: Some("zh".into()),
        language_name: Some("中文".into()),
        licence: "CC-BY-4.0".into(),
        licence_name: "知识共享 署名".into(),
        licence_href: None,
        topics: vec![TermLink {
            label: "文化艺术".into(),
            href: "/search?topic=culture-arts".into(),
        }],
        audiences: Vec::new(),
        published_ms: Some(0),
        duration_ms: Some(84_000),
        pages: None,
        poster: Some("/media/r1/poster.jpg".into()),
        media: MediaView::Play(play()),
        notice: None,
        query: "编网".into(),
        searchable: true,
        moments: vec![MomentView {
            kind: MomentKind::Time(83_000),
            href: "/resources/r1?t=83&q=x".into(),
            image: None,
            text_html: "黄海<mark>编网</mark>".into(),
        }],
        downloads: vec![Download {
            href: "/media/r1/original".into(),
            label: "a.mp4".into(),
            size_bytes: Some(1_000_000),
        }],
        review_href: None,
        edit_href: None,
        related: Vec::new(),
        home: None,
        copied_from: None,
        copy: None,
        particulars: Particulars::default(),
        place_name: None,
        vouched: Vec::new(),
        vouch_href: None,
        dublin_core: vec![("DC.title".into(), Some("zh".into()), "\"编网\"".into())],
    }
}

fn play() -> PlayView {
    PlayView {
        id: "r1".into(),
        video: true,
        hls: "/t/abc/media/r1/master.m3u8".into(),
        dash: None,
        original: None,
        poster: Some("/t/abc/media/r1/poster.jpg".into()),
        storyboard: None,
        size: Some((1920, 1080)),
        captions: vec![CaptionsView {
            src: "/t/abc/media/r1/captions/zh.vtt".into(),
            language: "zh".into(),
            label: "中文".into(),
        }],
        chapters: vec![Chapter { start_ms: 0, end_ms: 9_000, title: "工具".into() }],
        slides: Vec::new(),
        transcript: vec![Cue { start_ms: 83_400, text: "今天我们学习<编网>".into() }],
        transcript_language: Some("zh".into()),
        growing: false,
    }
}

fn document_of(pages: usize, page: u32) -> ResourceView {
    let read = ReadView {
        page,
        sizes: vec![(1600, 2263); pages],
        small: "/media/r2/pages/{n}.webp?w=480".into(),
        large: "/media/r2/pages/{n}.webp".into(),
        words: Some("/media/r2/pages/{n}.json".into()),
        growing: false,
        outline: vec![OutlineItem {
            title: "第一章".into(),
            page: 2,
            anchor: String::new(),
            depth: 0,
        }],
        text: None,
    };
    ResourceView {
        kind: Kind::Document,
        media: MediaView::Read(read),
        searchable: true,
        moments: Vec::new(),
        ..video()
    }
}

#[test]
fn texts_are_escaped_and_nothing_is_inline() {
    let html = resource(&shell(Lang::Zh), &video()).0;
    assert!(html.contains("&lt;b&gt;编网&lt;/b&gt; &amp; "));
    assert!(!html.contains("<b>编网"));
    assert!(html.contains("今天我们学习&lt;编网&gt;"));
    assert!(html.contains("黄海<mark>编网</mark>"));
    for inline in [" style=", " onclick=", " onload=", "javascript:"] {
        assert!(!html.contains(inline), "{inline} is in the page");
    }
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        let body = rest.split_once("</script>").unwrap().0;
        assert!(body.is_empty() || tag.contains("application/ld+json"), "an inline script");
    }
}

#[test]
fn json_ld_is_json_and_cannot_end_its_element() {
    let html = resource(&shell(Lang::Zh), &video()).0;
    let json = html.split_once("ld+json\">").unwrap().1.split_once("</script>").unwrap().0;
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["@type"][1], "VideoObject");
    assert_eq!(value["duration"], "PT0H1M24S");
    assert_eq!(value["url"], "https://learn.example/resources/r1");
    assert_eq!(value["description"], "第一段\n第二段</script>");
}

#[test]
fn what_is_local_has_its_mark_and_is_told_to_machines() {
    let local = LocalMark {
        origin: "官草汪 <村>".into(),
        bearer: "王秀英".into(),
        dialect: "jiaoliao".into(),
        heritage: "city".into(),
        ..LocalMark::default()
    };
    let vouched = Vouched {
        organisation: "岚山头街道".into(),
        level: Level::Township,
        at_ms: 0,
        note: "见过".into(),
    };
    let particulars = Particulars {
        local: Some(local),
        learning_minutes: Some(90),
        keywords: vec!["织网".into()],
        ..Particulars::default()
    };
    let view = ResourceView { particulars, vouched: vec![vouched], ..video() };
    let html = resource(&shell(Lang::Zh), &view).0;
    for text in ["地方特色", "官草汪 &lt;村&gt;", "胶辽官话", "市级非遗", "岚山头街道", "见过"]
    {
        assert!(html.contains(text), "{text}");
    }
    let json = html.split_once("ld+json\">").unwrap().1.split_once("</script>").unwrap().0;
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["timeRequired"], "PT90M");
    assert_eq!(value["keywords"][0], "织网");
    assert_eq!(value["contributor"][0]["roleName"], "传承人");
    assert_eq!(value["locationCreated"]["name"], "官草汪 <村>");
    let plain = resource(&shell(Lang::Zh), &video()).0;
    assert!(!plain.contains("local-mark") && !plain.contains("timeRequired"));
}

#[test]
fn what_is_not_public_is_not_told_to_machines() {
    let view = ResourceView { stage: Stage::Ready, ..video() };
    let html = resource(&shell(Lang::Zh), &view).0;
    assert!(!html.contains("ld+json"));
    assert!(!html.contains("og:image"));
    assert!(html.contains("待发布"));
}

#[test]
fn a_video_has_its_player_and_only_that() {
    let html = resource(&shell(Lang::Zh), &video()).0;
    assert!(html.contains("/assets/player-c.js"));
    assert!(html.contains("/assets/player-d.css"));
    assert!(!html.contains("viewer-e.js"));
    assert!(html.contains(r#"data-hls="/t/abc/media/r1/master.m3u8""#));
    assert!(html.contains(r#"href="/resources/r1?t=83" data-start="83400""#));
    assert!(html.contains(r#"data-shape="wide""#));
}

#[test]
fn a_document_shows_pages_without_scripts() {
    let html = resource(&shell(Lang::Zh), &document_of(12, 5)).0;
    assert!(html.contains(r#"data-sizes="12*1600x2263""#));
    assert_eq!(html.matches("<figure").count(), 3);
    assert!(html.contains(r#"src="/media/r2/pages/5.webp""#));
    // The words stay marked from page to page.
    assert!(html.contains(r#"href="?page=8&amp;q="#) && html.contains(r#"href="?page=2&amp;q="#));
}

#[test]
fn a_page_number_out_of_range_shows_the_nearest_page() {
    let html = resource(&shell(Lang::Zh), &document_of(2, 99)).0;
    assert!(html.contains(r#"data-page="2""#));
    let html = resource(&shell(Lang::Zh), &document_of(0, 0)).0;
    assert_eq!(html.matches("<figure").count(), 0);
}

#[test]
fn english_has_no_chinese_words_but_names() {
    let providers = Vec::new();
    let view = LoginView { next: "/".into(), name: String::new(), refusal: None, providers };
    let html = login(&shell(Lang::En), &view).0;
    assert!(html.contains("<html lang=\"en\">"));
    let rest = ["测试网", "多库", "库", "中文", "中"]
        .iter()
        .fold(html, |html, name| html.replace(name, ""));
    let chinese: String =
        rest.chars().filter(|sign| ('\u{4e00}'..='\u{9fff}').contains(sign)).collect();
    assert_eq!(chinese, "");
}

#[test]
fn the_language_link_keeps_the_query() {
    let view = ErrorView { status: 404, detail: String::new(), reference: None };
    let html = error(&shell(Lang::Zh), &view).0;
    assert!(html.contains(r#"href="/search?q=%E5%89%AA&amp;lang=en""#));
}

#[test]
fn the_elder_mode_is_one_link_away_and_back() {
    let view = ErrorView { status: 404, detail: String::new(), reference: None };
    let html = error(&shell(Lang::Zh), &view).0;
    assert!(html.contains(r#"href="/search?q=%E5%89%AA&amp;lang=zh&amp;elder=1""#));
    assert!(!html.contains("data-elder") && !html.contains("data-aloud"));
    let elder = Shell { elder: true, path: "/?elder=1".into(), ..shell(Lang::Zh) };
    let html = error(&elder, &view).0;
    assert!(html.contains(r#"<html lang="zh-CN" data-elder>"#) && html.contains("data-aloud"));
    assert!(html.contains(r#"href="/?elder=0""#));
}

#[test]
fn forms_that_write_carry_the_proof() {
    let html = edit(&signed_in(), &edit_view(Stage::Ready)).0;
    let posts = html.matches("method=\"post\"").count();
    assert!(posts >= 5, "{posts} forms");
    assert_eq!(html.matches(r#"name="csrf" value="proof""#).count(), posts);
}

#[test]
fn the_buttons_fit_the_stage() {
    let has = |stage: Stage, value: &str| {
        edit(&signed_in(), &edit_view(stage)).0.contains(&format!("value=\"{value}\""))
    };
    assert!(
        has(Stage::Ready, "publish")
            && !has(Stage::Ready, "withdraw")
            && !has(Stage::Ready, "retry")
    );
    assert!(has(Stage::Published, "withdraw") && !has(Stage::Published, "publish"));
    assert!(has(Stage::Failed, "retry") && !has(Stage::Failed, "publish"));
    let author = EditView { may_publish: false, ..edit_view(Stage::Ready) };
    let html = edit(&signed_in(), &author).0;
    assert!(!html.contains("value=\"publish\"") && !html.contains("value=\"delete\""));
}

fn edit_view(stage: Stage) -> EditView {
    EditView {
        alike: Vec::new(),
        id: "r1".into(),
        kind: Kind::Video,
        library_name: "总库".into(),
        file_name: "a.mp4".into(),
        size_bytes: 1,
        state: ProcessingView { stage, progress: 1.0, says: String::new(), playable: true },
        plan: Some("制作 720p 和声音".into()),
        steps: vec![StepView { label: "转码".into(), progress: 0.5 }],
        warnings: Vec::new(),
        saved: None,
        refusals: Vec::new(),
        title: "编网".into(),
        description: String::new(),
        language: "tlh".into(),
        author: String::new(),
        licence: String::new(),
        topics: vec!["health".into()],
        audiences: Vec::new(),
        particulars: Particulars::default(),
        divisions: vec![("371102".into(), "东港区".into())],
        posters: (0..2)
            .map(|n| PosterChoice {
                value: n.to_string(),
                src: "/p.jpg".into(),
                time_ms: None,
                on: n == 0,
            })
            .collect(),
        captions: vec![CaptionsRow {
            name: "zh".into(),
            label: "中文".into(),
            href: "/c.vtt".into(),
            edit_href: "/studio/resources/r1/captions/zh".into(),
        }],
        recognition: Some(("正在识别语音 5%".into(), true)),
        may_recognise: false,
        may_publish: true,
        review: EditReview { publish: stage == Stage::Ready, ..EditReview::default() },
    }
}

#[test]
fn the_form_keeps_what_is_not_in_the_lists() {
    let html = edit(&signed_in(), &edit_view(Stage::Ready)).0;
    assert!(html.contains(r#"<option value="tlh" selected>tlh</option>"#));
    assert!(html.contains(r#"value="health" checked"#));
}

#[test]
fn a_refused_field_is_described_by_the_sentence() {
    for name in ["title", "language", "made", "local.origin"] {
        let refusals = vec![(name.to_owned(), "不行".to_owned())];
        let html = edit(&signed_in(), &EditView { refusals, ..edit_view(Stage::Ready) }).0;
        assert!(
            html.contains(&format!(r#"aria-invalid="true" aria-describedby="refused-{name}""#))
        );
        assert!(html.contains(&format!(r#"role="alert" id="refused-{name}">不行"#)));
    }
    for name in ["poster", "topics"] {
        let refusals = vec![(name.to_owned(), "不行".to_owned())];
        let html = edit(&signed_in(), &EditView { refusals, ..edit_view(Stage::Ready) }).0;
        assert!(html.contains(&format!(r#"id="refused-{name}">不行"#)), "{name} is said");
    }
}

#[test]
fn a_manifest_without_an_entry_is_refused() {
    let missing = MANIFEST.replace("src/viewer.ts", "src/other.ts");
    assert!(matches!(Assets::from_manifest(&missing), Err(AssetsError::Missing("src/viewer.ts"))));
    assert!(matches!(Assets::from_manifest("no"), Err(AssetsError::Json(_))));
}

#[test]
fn signing_in_comes_back_to_the_page() {
    let html =
        error(&shell(Lang::Zh), &ErrorView { status: 403, detail: "不行".into(), reference: None })
            .0;
    assert!(html.contains(r#"href="/login?next=/search%3Fq%3D%25E5%2589%25AA%26lang%3Dzh""#));
    assert!(html.contains("不行"));
}
