//! Sources that cannot be used: each ends as failed, with a sentence.

use serde_json::Value;

use crate::app::TestApp;
use crate::client::{Client, text_of};
use crate::fixture;

/// The resource of a file that is taken and then fails.
pub(crate) async fn failed(client: &Client, name: &str, bytes: &[u8]) -> Value {
    let id = client.upload(name, "坏文件", bytes).await;
    let resource = client.settled(&id).await;
    assert_eq!(resource["stage"], "failed", "{name}: {resource:#}");
    let sentence = text_of(&resource["failure"]);
    assert!(sentence.ends_with('。') || sentence.ends_with('.'), "{name}: {sentence}");
    assert!(!sentence.contains("Error") && !sentence.contains("panicked"), "{name}: {sentence}");
    assert_ne!(resource["failure_code"], "internal", "{resource:#}");
    assert!(resource["renditions"].as_array().expect("a list").is_empty(), "{resource:#}");
    resource
}

#[tokio::test]
async fn broken_media_ends_as_failed_with_a_sentence() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let whole = fixture::video_with_index_last();
    let cut = failed(&admin, "断.mp4", &whole[..whole.len() / 2]).await;
    assert_eq!(cut["failure_code"], "media_damaged");
    let text = "这是一篇课文，不是一首歌。\n".repeat(500);
    failed(&admin, "歌.mp3", text.as_bytes()).await;
    let empty = failed(&admin, "空.mp4", &fixture::video_without_streams()).await;
    let code = text_of(&empty["failure_code"]);
    assert!(code.starts_with("media_"), "{code}");
    if let Some(bytes) = fixture::shared("lecture/nostreams.mp4") {
        failed(&admin, "nostreams.mp4", &bytes).await;
    }
    let mut noise = b"\x1aE\xdf\xa3".to_vec();
    noise.extend(&fixture::noise(50_000)[44..]);
    failed(&admin, "噪.mkv", &noise).await;
    // All of them leave nothing behind but their sources, and nothing in the search.
    assert!(admin.found("坏文件").await.is_empty());
    app.check();
    let english = admin.ask(http::Method::GET, &format!("/api/resources/{}", text_of(&cut["id"])));
    let english = crate::client::answer(english.header("accept-language", "en")).await.json();
    assert!(text_of(&english["failure"]).contains("damaged"), "{english:#}");
}

#[tokio::test]
async fn broken_documents_and_pictures_fail_when_ingested_with_a_sentence() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let locked = failed(&admin, "锁.pdf", &fixture::locked_pdf()).await;
    assert_eq!(locked["failure_code"], "document_encrypted");
    assert!(text_of(&locked["failure"]).contains("密码"), "{locked:#}");
    if let Some(bytes) = fixture::shared("derived/maint-guide-aes256.zh-cn.pdf") {
        let locked = failed(&admin, "锁2.pdf", &bytes).await;
        assert_eq!(locked["failure_code"], "document_encrypted");
    }
    let garbage =
        failed(&admin, "坏.pdf", &[b"%PDF-1.7\n".as_slice(), &[b'x'; 5000]].concat()).await;
    assert_eq!(garbage["failure_code"], "document_damaged");
    let picture = fixture::picture(3);
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &picture[..500]].concat();
    let broken = failed(&admin, "坏.png", &png).await;
    let code = text_of(&broken["failure_code"]);
    assert!(code.starts_with("picture_"), "{code}");
    app.check();
}
