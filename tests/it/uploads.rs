//! Uploads by tus 1.0.0, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use duoku::catalogue::Role;
use http::Method;
use serde_json::json;
use sha1::Digest as _;

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer, metadata, text_of};
use crate::fixture;
use crate::raw::Raw;

/// A server that takes uploads and leaves them alone.
fn without_work(settings: &[(&str, &str)]) -> TestApp {
    let mut app = TestApp::stopped(settings);
    app.serve(&["--no-work"]);
    app
}

/// Begins an upload; gives its URL.
async fn begin(client: &Client, name: &str, length: usize) -> String {
    answer(client.create(name, length)).await.expect(201).header("location").to_owned()
}

/// SHA-256 of what `original` gives, once the source is stored.
async fn original_hash(client: &Client, resource: &str) -> String {
    let path = format!("/media/{resource}/original");
    eventually("the source is stored", std::time::Duration::from_secs(60), || async {
        let answer = client.get(&path).await;
        (answer.status == 200).then(|| fixture::sha256(&answer.body))
    })
    .await
}

#[tokio::test]
async fn an_uploader_learns_what_the_server_can_do() {
    let app = without_work(&[("DUOKU_UPLOAD_MAX_BYTES", "123456")]);
    let options = answer(app.nobody().ask(Method::OPTIONS, "/api/uploads")).await.expect(204);
    assert_eq!(options.header("tus-resumable"), "1.0.0");
    assert_eq!(options.header("tus-version"), "1.0.0");
    assert_eq!(options.header("tus-max-size"), "123456");
    let algorithms = options.header("tus-checksum-algorithm");
    assert!(algorithms.contains("sha1") && algorithms.contains("sha256"), "{algorithms}");
    let extensions = options.header("tus-extension");
    for extension in [
        "creation",
        "creation-with-upload",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    ] {
        assert!(extensions.split(',').any(|e| e == extension), "{extension} in {extensions}");
    }
}

#[tokio::test]
async fn a_browser_on_another_site_may_ask_before_it_uploads() {
    let app = without_work(&[]);
    let preflight = app
        .nobody()
        .ask(Method::OPTIONS, "/api/uploads")
        .header("origin", "https://school.example.cn")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,tus-resumable,upload-length");
    let preflight = answer(preflight).await;
    assert!((200..300).contains(&preflight.status), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"), "{preflight:?}");
}

#[tokio::test]
async fn an_upload_in_pieces_arrives_whole() {
    let app = TestApp::start();
    let author = app.person("lin", &[("main", Role::Author)]).await;
    let file = fixture::noise(300_000);
    let created = answer(author.create("渔歌.wav", file.len())).await.expect(201);
    assert_eq!(created.header("tus-resumable"), "1.0.0");
    assert!(created.header("upload-expires").ends_with(" GMT"), "{created:?}");
    let url = created.header("location").to_owned();
    assert_eq!(author.offset(&url).await, 0);
    let mut offset = 0;
    for end in [1, 4_097, 150_000, 299_999] {
        let sent = answer(author.piece(&url, offset, &file[offset..end])).await.expect(204);
        assert_eq!(sent.header("upload-offset"), end.to_string());
        assert!(sent.header("upload-expires").ends_with(" GMT"), "{sent:?}");
        assert_eq!(author.offset(&url).await, end);
        offset = end;
    }
    let view = author.get(&url).await.expect(200).json();
    assert_eq!((&view["offset"], &view["length"]), (&json!(299_999), &json!(300_000)));
    assert!(view["resource"].is_null(), "{view}");
    let head = answer(author.ask(Method::HEAD, &url).header("tus-resumable", "1.0.0")).await;
    assert_eq!(head.header("upload-length"), "300000");
    assert_eq!(head.header("cache-control"), "no-store");
    assert_eq!(
        head.header("upload-metadata"),
        metadata(&[("filename", "渔歌.wav"), ("library", "main")])
    );
    answer(author.piece(&url, offset, &file[offset..])).await.expect(204);
    let view = author.get(&url).await.expect(200).json();
    let id = text_of(&view["resource"]);
    let resource = author.settled(id).await;
    assert_eq!((&resource["stage"], &resource["title"]), (&json!("published"), &json!("渔歌")));
    assert_eq!(resource["sha256"], fixture::sha256(&file));
    assert_eq!(original_hash(&app.nobody(), id).await, fixture::sha256(&file));
    // Once more the last piece: it was acknowledged, nothing is to be sent.
    answer(author.piece(&url, 0, &file)).await.expect(409);
    app.check();
}

#[tokio::test]
async fn an_upload_may_begin_with_its_first_bytes() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let file = fixture::noise(100_000);
    let created = admin
        .create("a.wav", file.len())
        .header("content-type", "application/offset+octet-stream")
        .body(file[..60_000].to_vec());
    let created = answer(created).await.expect(201);
    assert_eq!(created.header("upload-offset"), "60000");
    let url = created.header("location");
    assert_eq!(admin.offset(url).await, 60_000);
    let last = answer(admin.piece(url, 60_000, &file[60_000..])).await.expect(204);
    assert_eq!(last.header("duoku-resource").len(), 32, "{last:?}");
}

#[tokio::test]
async fn upload_requests_that_break_the_protocol_change_nothing() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let file = fixture::noise(10_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    answer(admin.piece(&url, 0, &file[..5000])).await.expect(204);

    let piece = |offset: usize, version: &str, kind: &str| {
        let request = admin
            .ask(Method::PATCH, &url)
            .header("tus-resumable", version)
            .header("content-type", kind)
            .header("upload-offset", offset);
        request.body(file[5000..6000].to_vec())
    };
    let offset_type = "application/offset+octet-stream";
    answer(piece(4999, "1.0.0", offset_type)).await.expect(409);
    answer(piece(5001, "1.0.0", offset_type)).await.expect(409);
    let other = answer(piece(5000, "0.2.2", offset_type)).await.expect(412);
    assert_eq!((other.header("tus-version"), other.header("tus-resumable")), ("1.0.0", "1.0.0"));
    answer(piece(5000, "1.0.0", "application/octet-stream")).await.expect(415);
    let no_offset = admin
        .ask(Method::PATCH, &url)
        .header("tus-resumable", "1.0.0")
        .header("content-type", offset_type);
    answer(no_offset).await.expect(400);
    // More than was announced.
    answer(admin.piece(&url, 5000, &file)).await.expect(413);
    assert_eq!(admin.offset(&url).await, 5000);
    let no_version = admin.ask(Method::POST, "/api/uploads").header("upload-length", 5);
    answer(no_version).await.expect(412);
    let no_length = admin
        .ask(Method::POST, "/api/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-metadata", metadata(&[("filename", "a.wav")]));
    answer(no_length).await.expect(400);
    for bad in ["filename !!!", "library bWFpbg==", "filename /w=="] {
        let request = admin
            .ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", 5)
            .header("upload-metadata", bad);
        answer(request).await.expect(400);
    }
    answer(admin.piece(&url, 5000, &file[5000..])).await.expect(204);
}

#[tokio::test]
async fn a_checksum_of_an_upload_must_hold() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let file = fixture::noise(90_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    let sha1 = |bytes: &[u8]| format!("sha1 {}", STANDARD.encode(sha1::Sha1::digest(bytes)));
    let sha256 = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(sha2::Sha256::digest(bytes)));
    let piece = |from: usize, to: usize, sum: String| {
        answer(admin.piece(&url, from, &file[from..to]).header("upload-checksum", sum))
    };
    piece(0, 30_000, sha1(&file[..30_000])).await.expect(204);
    // The right bytes with the sum of others, then wrong bytes.
    piece(30_000, 60_000, sha1(&file[..30_000])).await.expect(460);
    assert_eq!(admin.offset(&url).await, 30_000, "nothing is kept");
    let wrong = vec![7; 60_000];
    let request =
        admin.piece(&url, 30_000, &wrong).header("upload-checksum", sha256(&file[30_000..]));
    let refused = answer(request).await.expect(460);
    assert_eq!(refused.json()["status"], 460, "{}", refused.text());
    assert_eq!(admin.offset(&url).await, 30_000, "nothing is kept");
    piece(30_000, 60_000, "md5 AAAA".into()).await.expect(400);
    piece(30_000, 60_000, "sha1".into()).await.expect(400);
    piece(30_000, 60_000, sha256(&file[30_000..60_000])).await.expect(204);
    let last = piece(60_000, 90_000, sha1(&file[60_000..])).await.expect(204);
    let id = last.header("duoku-resource");
    assert_eq!(original_hash(&admin, id).await, fixture::sha256(&file));
}

/// A first piece that was damaged on its way says nothing about the file.
#[tokio::test]
async fn a_damaged_first_piece_does_not_end_the_upload() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let file = fixture::noise(10_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    let sum = format!("sha1 {}", STANDARD.encode(sha1::Sha1::digest(&file)));
    let damaged = [b"MZ".as_slice(), &file[2..]].concat();
    let sent = answer(admin.piece(&url, 0, &damaged).header("upload-checksum", &sum)).await;
    assert_eq!(sent.expect(460).header("tus-resumable"), "1.0.0");
    answer(admin.piece(&url, 0, &file).header("upload-checksum", &sum)).await.expect(204);
}

/// Whatever goes wrong on the way: a file of another length never becomes a source.
#[tokio::test]
async fn an_upload_of_the_wrong_length_fails_and_can_be_tried_again() {
    let mut app = without_work(&[]);
    let admin = app.admin().await;
    let picture = fixture::picture(1);
    let id = admin.upload("p.bmp", "图", &picture).await;
    let folder = app.data().join("uploads");
    let entry = std::fs::read_dir(&folder).expect("there").next().expect("one").expect("read");
    let longer = [picture.as_slice(), b"xxx"].concat();
    std::fs::write(entry.path(), longer).expect("written");
    app.stop();
    app.serve(&[]);
    let admin = admin.at(app.address());
    let resource = admin.settled(&id).await;
    assert_eq!(resource["failure_code"], "upload_damaged", "{resource:#}");
    std::fs::write(entry.path(), &picture).expect("written");
    admin.post(&format!("/api/resources/{id}/retry")).await.expect(200);
    assert_eq!(admin.settled(&id).await["stage"], "published");
    app.check();
}

#[tokio::test]
async fn parts_of_an_upload_count_until_they_are_given_up() {
    let mut app = TestApp::stopped(&[]);
    app.ran(&["library", "create", "small", "--name", "小库", "--quota-bytes", "5000"]);
    app.serve(&["--no-work"]);
    let admin = app.admin().await;
    let facts = metadata(&[("filename", "a.wav"), ("library", "small")]);
    let create = |length: usize, concat: &str| {
        let request = admin.ask(Method::POST, "/api/uploads").header("tus-resumable", "1.0.0");
        let request = request.header("upload-metadata", &facts).header("upload-concat", concat);
        answer(request.header("upload-length", length))
    };
    let part = create(4000, "partial").await.expect(201).header("location").to_owned();
    assert!(part.starts_with("/api/uploads/"), "relative to the server: {part}");
    answer(admin.piece(&part, 0, &fixture::noise(4000))).await.expect(204);
    create(2000, "partial").await.expect(413);
    let give_up = admin.ask(Method::DELETE, &part).header("tus-resumable", "1.0.0");
    answer(give_up).await.expect(204);
    assert!(std::fs::read_dir(app.data().join("uploads")).expect("there").next().is_none());
    let part = create(4000, "partial").await.expect(201).header("location").to_owned();
    answer(admin.piece(&part, 0, &fixture::noise(4000))).await.expect(204);
    // Joined they take no more room than before.
    create(0, &format!("final;{part}")).await.expect(201);
}

#[tokio::test]
async fn an_upload_tells_topics_and_audiences() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let facts = [
        ("filename", "p.bmp"),
        ("topics", "culture-arts; vocational-skills"),
        ("audiences", "farmers"),
    ];
    let picture = fixture::picture(1);
    let request = admin
        .ask(Method::POST, "/api/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", picture.len())
        .header("upload-metadata", metadata(&facts))
        .header("content-type", "application/offset+octet-stream");
    let sent = answer(request.body(picture)).await.expect(201);
    let id = sent.header("duoku-resource");
    let resource = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(resource["topics"], json!(["culture-arts", "vocational-skills"]));
    assert_eq!(resource["audiences"], json!(["farmers"]));
}

#[tokio::test]
async fn an_upload_whose_resource_was_deleted_leaves_nothing() {
    let mut app = without_work(&[]);
    let admin = app.admin().await;
    let id = admin.upload("p.bmp", "图", &fixture::picture(1)).await;
    admin.delete(&format!("/api/resources/{id}")).await.expect(204);
    app.stop();
    app.serve(&[]);
    let folder = app.data().join("uploads");
    eventually("its file is gone", std::time::Duration::from_secs(10), || async {
        std::fs::read_dir(&folder).expect("there").next().is_none().then_some(())
    })
    .await;
    app.check();
}

/// What a killed program can leave behind, and what it must not take for that.
#[tokio::test]
async fn files_of_uploads_that_nothing_needs_are_swept() {
    let mut app = without_work(&[("DUOKU_UPLOAD_EXPIRES_HOURS", "1")]);
    let admin = app.admin().await;
    let url = begin(&admin, "a.wav", 9000).await;
    answer(admin.piece(&url, 0, &fixture::noise(5000))).await.expect(204);
    app.stop();
    let folder = app.data().join("uploads");
    let fresh = || folder.join(duoku::catalogue::UploadId::fresh().to_string());
    let (old, young) = (fresh(), fresh());
    for file in [&old, &young] {
        std::fs::write(file, "x").expect("written");
    }
    let before = std::time::SystemTime::now() - std::time::Duration::from_hours(2);
    let age = |path: &std::path::Path| {
        let file = std::fs::File::options().write(true).open(path).expect("opened");
        file.set_modified(before).expect("set");
    };
    let receiving = folder.join(url.rsplit('/').next().expect("an id"));
    for path in [&old, &receiving] {
        age(path);
    }
    let inside = app.inside().await;
    duoku::ingest::sweep::abandoned(&inside).await.expect("swept");
    assert!(!old.exists());
    assert!(young.exists() && receiving.exists());
    // Nothing came for longer than uploads are kept.
    let mut tx = inside.db.begin().await.expect("a transaction");
    sqlx::query("UPDATE upload SET expires_ms = 1").execute(&mut *tx).await.expect("aged");
    tx.commit().await.expect("committed");
    duoku::ingest::sweep::abandoned(&inside).await.expect("swept");
    assert!(!receiving.exists());
    inside.db.close().await;
}

#[tokio::test]
async fn an_upload_can_be_given_up() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let file = fixture::noise(10_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    answer(admin.piece(&url, 0, &file[..5000])).await.expect(204);
    let delete = || admin.ask(Method::DELETE, &url).header("tus-resumable", "1.0.0");
    answer(delete()).await.expect(204);
    let head = answer(admin.ask(Method::HEAD, &url).header("tus-resumable", "1.0.0")).await;
    assert!([404, 410].contains(&head.status), "{head:?}");
    let more = answer(admin.piece(&url, 5000, &file[5000..])).await;
    assert!([404, 410].contains(&more.status), "{more:?}");
    let left: Vec<_> = std::fs::read_dir(app.data().join("uploads")).expect("there").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn uploads_can_be_joined() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let file = fixture::noise(200_000);
    let partial = |length: usize| {
        admin
            .ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", length)
            .header("upload-concat", "partial")
    };
    let first = answer(partial(120_000)).await.expect(201).header("location").to_owned();
    let second = answer(partial(80_000)).await.expect(201).header("location").to_owned();
    let join = |parts: String| {
        admin
            .ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-concat", format!("final;{parts}"))
            .header("upload-metadata", metadata(&[("filename", "合.wav"), ("library", "main")]))
    };
    answer(admin.piece(&second, 0, &file[120_000..])).await.expect(204);
    answer(admin.piece(&first, 0, &file[..60_000])).await.expect(204);
    answer(join(format!("{first} {second}"))).await.expect(400);
    answer(admin.piece(&first, 60_000, &file[60_000..120_000])).await.expect(204);
    let head = answer(admin.ask(Method::HEAD, &first).header("tus-resumable", "1.0.0")).await;
    assert_eq!(head.expect(200).header("upload-concat"), "partial");
    let joined = answer(join(format!("{first} {second}"))).await.expect(201);
    let id = joined.header("duoku-resource");
    let url = joined.header("location");
    let head = answer(admin.ask(Method::HEAD, url).header("tus-resumable", "1.0.0")).await;
    assert_eq!(head.expect(200).header("upload-concat"), format!("final;{first} {second}"));
    assert_eq!(original_hash(&admin, id).await, fixture::sha256(&file));
    assert_eq!(admin.settled(id).await["title"], "合");
    app.check();
}

#[tokio::test]
async fn an_upload_whose_line_was_cut_goes_on_where_it_was() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let file = fixture::noise(3_000_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    answer(admin.piece(&url, 0, &file[..1_000_000])).await.expect(204);
    {
        let mut line = Raw::connect(app.address());
        line.write(patch_head(&admin, &app, &url, 1_000_000, 2_000_000).as_bytes());
        line.write(&file[1_000_000..1_700_000]);
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let offset = admin.offset(&url).await;
    assert!((1_000_000..=1_700_000).contains(&offset), "{offset}");
    let last = answer(admin.piece(&url, offset, &file[offset..])).await.expect(204);
    let id = last.header("duoku-resource");
    assert_eq!(original_hash(&admin, id).await, fixture::sha256(&file));
    assert_eq!(admin.settled(id).await["stage"], "published");
}

/// A phone whose line went without a word: the server still waits on the old
/// connection when the new one asks.
#[tokio::test]
async fn an_upload_is_resumed_while_the_old_line_hangs() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let file = fixture::noise(500_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    let mut hanging = Raw::connect(app.address());
    hanging.write(patch_head(&admin, &app, &url, 0, file.len()).as_bytes());
    hanging.write(&file[..200_000]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let begun = std::time::Instant::now();
    let offset = admin.offset(&url).await;
    assert!(begun.elapsed().as_secs() < 5, "waited {:?} for the old line", begun.elapsed());
    assert_eq!(offset, 200_000, "what came by the old line is kept");
    answer(admin.piece(&url, offset, &file[offset..])).await.expect(204);
    let view = admin.get(&url).await.expect(200).json();
    assert_eq!(view["offset"], 500_000);
}

#[tokio::test]
async fn an_upload_survives_kill_9_of_the_server() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let file = fixture::noise(6_000_000);
    let url = begin(&admin, "a.wav", file.len()).await;
    answer(admin.piece(&url, 0, &file[..2_000_000])).await.expect(204);
    let mut line = Raw::connect(app.address());
    line.write(patch_head(&admin, &app, &url, 2_000_000, 4_000_000).as_bytes());
    line.write(&file[2_000_000..4_500_000]);
    std::thread::sleep(std::time::Duration::from_millis(150));
    app.kill();
    app.serve(&[]);
    let admin = admin.at(app.address());
    let offset = admin.offset(&url).await;
    assert!((2_000_000..=4_500_000).contains(&offset), "what was acknowledged is there: {offset}");
    let sent = answer(admin.piece(&url, offset, &file[offset..5_000_000])).await.expect(204);
    assert_eq!(sent.header("upload-offset"), "5000000");
    // Once more, between two requests.
    app.kill();
    app.serve(&[]);
    let admin = admin.at(app.address());
    assert_eq!(admin.offset(&url).await, 5_000_000);
    let last = answer(admin.piece(&url, 5_000_000, &file[5_000_000..])).await.expect(204);
    let id = last.header("duoku-resource").to_owned();
    // And at once after the last byte was acknowledged.
    app.kill();
    app.serve(&[]);
    let admin = admin.at(app.address());
    assert_eq!(admin.settled(&id).await["stage"], "published");
    assert_eq!(original_hash(&app.nobody(), &id).await, fixture::sha256(&file));
    app.check();
}

fn patch_head(client: &Client, app: &TestApp, url: &str, offset: usize, length: usize) -> String {
    let token = client.token.as_deref().expect("logged in");
    let address = app.address();
    format!(
        "PATCH {url} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ntus-resumable: 1.0.0\r\n\
         content-type: application/offset+octet-stream\r\nupload-offset: {offset}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// The refusal of a request that begins an upload, in both languages.
async fn refusal(
    client: &Client,
    name: &str,
    length: usize,
    library: &str,
) -> (u16, String, String) {
    let ask = |language: &str| {
        client
            .ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", length)
            .header("upload-metadata", metadata(&[("filename", name), ("library", library)]))
            .header("accept-language", language)
    };
    let (zh, en): (Answer, Answer) =
        (answer(ask("zh-CN,zh;q=0.9,en;q=0.5")).await, answer(ask("en-GB")).await);
    assert_eq!(zh.status, en.status);
    assert_eq!(zh.header("content-type"), "application/problem+json", "{}", zh.text());
    let sentence = |answer: &Answer| text_of(&answer.json()["detail"]).to_owned();
    (zh.status, sentence(&zh), sentence(&en))
}

#[tokio::test]
async fn uploads_are_refused_before_a_byte_and_in_words() {
    let mut app = TestApp::stopped(&[("DUOKU_UPLOAD_MAX_BYTES", "1000000")]);
    app.ran(&["library", "create", "small", "--name", "小库", "--quota-bytes", "5000"]);
    app.serve(&["--no-work"]);
    let admin = app.admin().await;
    for (name, length, library, status, zh, en) in [
        ("木马.exe", 5, "main", 415, "不支持", "not supported"),
        ("课件.h5p", 5, "main", 415, "h5p", "h5p"),
        ("字幕.srt", 5, "main", 415, "字幕", "Captions"),
        ("a.mp4", 1_000_001, "main", 413, "太大", "too large"),
        ("a.mp4", 5001, "small", 413, "空间", "space"),
        ("a.mp4", 0, "main", 422, "空", "empty"),
    ] {
        let (answered, in_chinese, in_english) = refusal(&admin, name, length, library).await;
        assert_eq!(answered, status, "{name} {length}: {in_chinese}");
        assert!(in_chinese.contains(zh), "{in_chinese}");
        assert!(in_english.contains(en), "{in_english}");
        assert!(in_english.is_ascii() || !in_english.contains('。'), "{in_english}");
    }
    let (status, ..) = refusal(&admin, "a.mp4", 5, "missing").await;
    assert_eq!(status, 400);
    // What is just allowed is taken.
    answer(admin.create("a.mp4", 1_000_000)).await.expect(201);
    let fitting = admin
        .ask(Method::POST, "/api/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 5000)
        .header("upload-metadata", metadata(&[("filename", "a.mp4"), ("library", "small")]));
    answer(fitting).await.expect(201);
}

#[tokio::test]
async fn uploads_are_refused_by_their_content() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let pdf = fixture::pdf();
    for (name, content) in [
        ("电影.mp4", [b"MZ\x90\x00".as_slice(), &[0; 9000]].concat()),
        ("电影.mp4", [b"\x7fELF".as_slice(), &[0; 9000]].concat()),
        ("列表.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n".to_vec()),
        ("图.png", "这不是图片".as_bytes().to_vec()),
        ("图.png", pdf.clone()),
        ("讲义.pdf", fixture::picture(1)),
    ] {
        let url = begin(&admin, name, content.len()).await;
        let refused = answer(admin.piece(&url, 0, &content).header("accept-language", "zh")).await;
        let refused = refused.expect(415);
        assert!(!text_of(&refused.json()["detail"]).is_empty());
        let head = answer(admin.ask(Method::HEAD, &url).header("tus-resumable", "1.0.0")).await;
        assert!([404, 410].contains(&head.status), "{name} was ended: {head:?}");
    }
    let left: Vec<_> = std::fs::read_dir(app.data().join("uploads")).expect("there").collect();
    assert!(left.is_empty(), "no bytes of theirs stay: {left:?}");
    let resources = admin.get("/api/resources").await.expect(200).json();
    assert_eq!(resources["total"], 0);
}

#[tokio::test]
async fn only_authors_upload_and_only_see_their_own_uploads() {
    let app = without_work(&[]);
    let (nobody, learner) = (app.nobody(), app.person("wei", &[]).await);
    let lin = app.person("lin", &[("main", Role::Author)]).await;
    let chen = app.person("chen", &[("main", Role::Author)]).await;
    let refused = answer(nobody.create("a.wav", 9)).await.expect(401);
    assert_eq!(refused.json()["code"], "anonymous");
    answer(learner.create("a.wav", 9)).await.expect(403);
    let url = begin(&lin, "a.wav", 9000).await;
    for (client, status) in [(&nobody, 401), (&learner, 403), (&chen, 404)] {
        let head = client.ask(Method::HEAD, &url).header("tus-resumable", "1.0.0");
        answer(head).await.expect(status);
        answer(client.piece(&url, 0, &[0; 9])).await.expect(status);
        answer(client.ask(Method::DELETE, &url).header("tus-resumable", "1.0.0"))
            .await
            .expect(status);
        client.get(&url).await.expect(status);
    }
    assert_eq!(lin.offset(&url).await, 0);
    for id in ["0198c0de000070008000000000000000", "nonsense", "%00"] {
        let url = format!("/api/uploads/{id}");
        let head = lin.ask(Method::HEAD, &url).header("tus-resumable", "1.0.0");
        answer(head).await.expect(404);
        answer(lin.piece(&url, 0, &[0; 9])).await.expect(404);
    }
}

/// Many phones at once: each file is whole in the end.
#[tokio::test]
async fn uploads_side_by_side_do_not_mix() {
    let app = without_work(&[]);
    let admin = app.admin().await;
    let uploads = (0..12_usize).map(|number| {
        let admin = admin.clone();
        async move {
            let file = fixture::noise(100_000 + number * 1000);
            let url = begin(&admin, &format!("{number}.wav"), file.len()).await;
            let mut offset = 0;
            for chunk in file.chunks(30_000) {
                answer(admin.piece(&url, offset, chunk)).await.expect(204);
                offset += chunk.len();
            }
            let view = admin.get(&url).await.expect(200).json();
            (text_of(&view["resource"]).to_owned(), fixture::sha256(&file))
        }
    });
    let all = futures::future::join_all(uploads).await;
    let worker = app.background(&["work"]);
    for (id, hash) in all {
        assert_eq!(original_hash(&admin, &id).await, hash);
    }
    drop(worker);
}

#[tokio::test]
async fn an_upload_brings_a_draft_its_source() {
    let app = TestApp::start();
    let lin = app.person("lin", &[("main", Role::Author)]).await;
    let chen = app.person("chen", &[("main", Role::Author)]).await;
    let draft = json!({ "library": "main", "title": "渔家编网", "topics": ["culture-arts"] });
    let path = "/api/resources";
    app.nobody().send(Method::POST, path, &draft).await.expect(401);
    app.person("wei", &[]).await.send(Method::POST, path, &draft).await.expect(403);
    let missing = json!({ "library": "missing", "title": "x" });
    lin.send(Method::POST, path, &missing).await.expect(400);
    let untitled = json!({ "library": "main", "title": "" });
    lin.send(Method::POST, path, &untitled).await.expect(422);
    let made = lin.send(Method::POST, path, &draft).await.expect(201).json();
    let id = text_of(&made["id"]).to_owned();
    assert_eq!((&made["stage"], &made["title"]), (&json!("draft"), &json!("渔家编网")));
    app.nobody().get(&format!("/api/resources/{id}")).await.expect(404);
    lin.post(&format!("/api/resources/{id}/publish")).await.expect(409);
    let picture = fixture::picture(4);
    let begin = |client: &Client, resource: &str| {
        let facts = [("filename", "p.bmp"), ("library", "main"), ("resource", resource)];
        let request = client
            .ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", picture.len())
            .header("upload-metadata", metadata(&facts));
        answer(request)
    };
    begin(&chen, &id).await.expect(404);
    begin(&lin, "nonsense").await.expect(404);
    let first = begin(&lin, &id).await.expect(201).header("location").to_owned();
    let second = begin(&lin, &id).await.expect(201).header("location").to_owned();
    let sent = answer(lin.piece(&first, 0, &picture)).await.expect(204);
    assert_eq!(sent.header("duoku-resource"), id);
    let resource = lin.settled(&id).await;
    assert_eq!((&resource["stage"], &resource["title"]), (&json!("published"), &json!("渔家编网")));
    assert_eq!(resource["topics"], json!(["culture-arts"]));
    begin(&lin, &id).await.expect(409);
    // Two uploads raced for the draft: the later one does not replace what is there.
    let late = answer(lin.piece(&second, 0, &picture)).await;
    assert_ne!(late.header("duoku-resource"), id, "{late:?}");
    assert_eq!(lin.get(&format!("/api/resources/{id}")).await.json()["stage"], "published");
    app.check();
}
