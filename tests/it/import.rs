//! `duoku import`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::app::{Said, TestApp};
use crate::client::text_of;
use crate::fixture;

/// A folder as a teacher has it: a video with captions beside it, a picture, rubbish.
fn folder(app: &TestApp) -> std::path::PathBuf {
    let folder = app.desk().join("资料");
    fs::create_dir_all(folder.join("内")).expect("made");
    fs::write(folder.join("编网_第一课.mp4"), fixture::video(4)).expect("written");
    let captions = fixture::captions(&[(1000, "今天学习编网的技艺")]);
    fs::write(folder.join("编网_第一课.zh.vtt"), captions).expect("written");
    fs::write(folder.join("内/花样.bmp"), fixture::picture(1)).expect("written");
    fs::write(folder.join(".hidden.bmp"), fixture::picture(2)).expect("written");
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// (outcome, end of the file's name) of each line of a report.
fn outcomes(report: &Path) -> Vec<(String, String)> {
    let lines: Value = serde_json::from_slice(&fs::read(report).expect("written")).expect("JSON");
    let mut all: Vec<(String, String)> = lines
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| {
            let file = text_of(&line["file"]).rsplit('/').next().expect("a name").to_owned();
            (text_of(&line["outcome"]).to_owned(), file)
        })
        .collect();
    all.sort();
    all
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn a_folder_is_imported_once_with_captions_beside_their_video() {
    let mut app = TestApp::stopped(&[]);
    let folder = folder(&app);
    let report = app.desk().join("report.json");
    let import = |app: &TestApp, more: &[&str]| -> Said {
        let mut arguments =
            vec!["import", path(&folder), "--library", "main", "--report", path(&report)];
        arguments.extend(more);
        app.run(&arguments)
    };
    let dry = import(&app, &["--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    let all = [
        ("captions", "编网_第一课.zh.vtt"),
        ("imported", "编网_第一课.mp4"),
        ("imported", "花样.bmp"),
    ];
    assert_eq!(outcomes(&report), pairs(&all));
    assert!(app.stored().is_empty(), "a dry run stores nothing");
    // No server runs: with --wait the command works itself.
    let said = import(&app, &["--wait"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(outcomes(&report), pairs(&all));
    assert!(said.out.contains("imported 2"), "{said:?}");
    let again = import(&app, &["--wait"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(outcomes(&report), pairs(&[("exists", "编网_第一课.mp4"), ("exists", "花样.bmp")]));
    app.serve(&[]);
    let nobody = app.nobody();
    let list = nobody.get("/api/resources").await.expect(200).json();
    assert_eq!(list["total"], 2, "{list:#}");
    let video = list["items"].as_array().expect("a list").iter().find(|r| r["kind"] == "video");
    let video = video.expect("a video");
    assert_eq!((&video["title"], &video["stage"]), (&json!("编网 第一课"), &json!("published")));
    assert!(video["links"]["captions"]["zh"].is_string(), "{video:#}");
    app.check();
    assert_eq!(nobody.search("技艺").await["hits"][0]["moments"][0]["start_ms"], 1000);
    let left: Vec<_> = fs::read_dir(app.data().join("uploads")).expect("there").collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Before any worker ran, the same files again, and a copy of one of them.
#[tokio::test]
async fn an_import_that_is_repeated_adds_only_what_is_new() {
    let mut app = TestApp::stopped(&[]);
    app.ran(&["library", "create", "small", "--name", "小库", "--quota-bytes", "1000000"]);
    let folder = app.desk().join("重");
    fs::create_dir_all(&folder).expect("made");
    let (a, copy) = (folder.join("a.wav"), folder.join("副本.wav"));
    let noise = fixture::noise(600_000);
    fs::write(&a, &noise).expect("written");
    fs::write(&copy, &noise).expect("written");
    // A cover beside it, as music has it, is a picture of its own.
    fs::write(folder.join("a.bmp"), fixture::picture(1)).expect("written");
    std::os::unix::fs::symlink("/nonexistent", folder.join("断.mp4")).expect("made");
    let report = app.desk().join("report.json");
    let import =
        || app.run(&["import", path(&folder), "--library", "small", "--report", path(&report)]);
    assert_eq!(import().code, 2);
    let mut all = vec![
        ("exists", "副本.wav"),
        ("failed", "断.mp4"),
        ("imported", "a.bmp"),
        ("imported", "a.wav"),
    ];
    assert_eq!(outcomes(&report), pairs(&all));
    // Captions came later; the quota has no room for the file again, and needs none.
    let captions = fixture::captions(&[(1000, "今天学习编网的技艺")]);
    fs::write(folder.join("a.zh.vtt"), captions).expect("written");
    import();
    all = vec![
        ("captions", "a.zh.vtt"),
        ("exists", "a.bmp"),
        ("exists", "a.wav"),
        ("exists", "副本.wav"),
        ("failed", "断.mp4"),
    ];
    assert_eq!(outcomes(&report), pairs(&all));
    import();
    all.remove(0);
    assert_eq!(outcomes(&report), pairs(&all));
    app.serve(&[]);
    let admin = app.admin().await;
    let list = admin.get("/api/resources?library=small").await.expect(200).json();
    assert_eq!(list["total"], 2, "{list:#}");
    for resource in list["items"].as_array().expect("a list") {
        let resource = admin.settled(text_of(&resource["id"])).await;
        assert_eq!(resource["stage"], "ready", "{resource:#}");
    }
    app.check();
    // What failed is no reason to be content.
    fs::write(folder.join("坏.mp4"), &fixture::video_with_index_last()[..20_000]).expect("written");
    for _ in 0..2 {
        app.run(&[
            "import",
            path(&folder),
            "--library",
            "small",
            "--wait",
            "--report",
            path(&report),
        ]);
        assert!(outcomes(&report).contains(&("failed".into(), "坏.mp4".into())));
    }
    let left: Vec<_> = fs::read_dir(app.data().join("uploads")).expect("there").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn an_import_is_described_by_a_table() {
    let app = TestApp::start();
    let folder = folder(&app);
    fs::write(folder.join("未列.bmp"), fixture::picture(7)).expect("written");
    let table = "file,title,description,author,language,topics,audiences,licence,captions\n\
        编网_第一课.mp4,渔家编网,\"梭子,尺板\",林老师,zh,culture-arts;vocational-skills,farmers;elders,CC-BY-4.0,编网_第一课.zh.vtt\n\
        内/花样.bmp,团花花样,,,,,,,\n";
    let manifest = folder.join("清单.csv");
    // As spreadsheets write it in China.
    fs::write(&manifest, encoding_rs::GB18030.encode(table).0).expect("written");
    let said = app.run(&[
        "import",
        path(&folder),
        "--library",
        "main",
        "--manifest",
        path(&manifest),
        "--wait",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    let list = app.nobody().get("/api/resources").await.json();
    assert_eq!(list["total"], 2, "only what the table names: {list:#}");
    let video = list["items"].as_array().expect("a list").iter().find(|r| r["title"] == "渔家编网");
    let video = video.expect("the title of the table");
    for (field, value) in [
        ("description", json!("梭子,尺板")),
        ("author", json!("林老师")),
        ("language", json!("zh")),
        ("topics", json!(["culture-arts", "vocational-skills"])),
        ("audiences", json!(["farmers", "elders"])),
        ("licence", json!("CC-BY-4.0")),
    ] {
        assert_eq!(video[field], value, "{field}");
    }
    assert!(video["links"]["captions"]["zh"].is_string(), "{video:#}");
    app.check();
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_and_the_rest_is_taken() {
    let app = TestApp::start();
    let folder = app.desk().join("混");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("好.bmp"), fixture::picture(1)).expect("written");
    fs::write(folder.join("坏.mp4"), &fixture::video_with_index_last()[..20_000]).expect("written");
    fs::write(folder.join("木马.exe"), "MZ").expect("written");
    fs::write(folder.join("讲义.docx"), "PK").expect("written");
    fs::write(folder.join("空.mp4"), "").expect("written");
    fs::write(folder.join("独.srt"), "1\n00:00:01,000 --> 00:00:02,000\n只有字幕\n")
        .expect("written");
    let report = app.desk().join("report.json");
    let said = app.run(&[
        "import",
        path(&folder),
        "--library",
        "main",
        "--wait",
        "--report",
        path(&report),
    ]);
    assert_eq!(said.code, 2, "{said:?}");
    assert_eq!(
        outcomes(&report),
        pairs(&[
            ("failed", "坏.mp4"),
            ("imported", "好.bmp"),
            ("refused", "木马.exe"),
            ("refused", "独.srt"),
            ("refused", "空.mp4"),
            ("refused", "讲义.docx"),
        ])
    );
    let lines: Value = serde_json::from_slice(&fs::read(&report).expect("written")).expect("JSON");
    for line in lines.as_array().expect("a list").iter().filter(|l| l["outcome"] != "imported") {
        assert!(text_of(&line["detail"]).ends_with('。'), "{line}");
    }
    for (arguments, said) in [
        (vec!["import", path(&folder), "--library", "nowhere"], "no library"),
        (vec!["import", path(&folder), "--library", "main", "--user", "nobody"], "no account"),
        (vec!["import", "/nonexistent/file.mp4", "--library", "main"], "/nonexistent/file.mp4"),
        (vec!["import", path(&folder)], "--library"),
    ] {
        let refused = app.run(&arguments);
        assert!(refused.code != 0 && refused.err.contains(said), "{arguments:?}: {refused:?}");
    }
    let manifest = app.desk().join("bad.csv");
    fs::write(&manifest, "file,title\nnot-there.mp4,x\n").expect("written");
    let refused =
        app.run(&["import", path(&folder), "--library", "main", "--manifest", path(&manifest)]);
    assert!(refused.code != 0 && refused.err.contains("not-there.mp4"), "{refused:?}");
    app.check();
}

/// A file imported while the server runs is made by the server.
#[tokio::test]
async fn an_import_beside_a_running_server_is_made_once() {
    let app = TestApp::start();
    let folder = folder(&app);
    let said = app.run(&["import", path(&folder), "--library", "main", "--wait"]);
    assert_eq!(said.code, 0, "{said:?}");
    let report = app.check();
    assert_eq!(report["resources"], 2);
    assert_eq!(report["objects"].as_u64(), Some(app.stored().len() as u64));
}
