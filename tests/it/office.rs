//! Office documents: pages, slides, and what is refused.

use std::time::Duration;

use serde_json::json;

use crate::app::{TestApp, eventually};
use crate::client::text_of;
use crate::fixture::{self, archive};
use crate::sources::failed;

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

/// A text document with this body.
pub(crate) fn docx(body: &str) -> Vec<u8> {
    let kinds = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
        <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
        <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    let rels = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>";
    let document = format!("<w:document xmlns:w=\"{WORD}\"><w:body>{body}</w:body></w:document>");
    archive(&[
        ("[Content_Types].xml", kinds.as_bytes()),
        ("_rels/.rels", rels.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ])
}

pub(crate) fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

/// An OpenDocument file of this kind with this body.
fn open_document(kind: &str, body: &str) -> Vec<u8> {
    let media_type = format!("application/vnd.oasis.opendocument.{kind}");
    let manifest = format!(
        "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\">\
         <manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"{media_type}\"/>\
         <manifest:file-entry manifest:full-path=\"content.xml\" manifest:media-type=\"text/xml\"/></manifest:manifest>"
    );
    let spaces = [
        ("office", "office"),
        ("text", "text"),
        ("draw", "drawing"),
        ("presentation", "presentation"),
    ];
    let names = spaces.map(|(name, space)| {
        format!("xmlns:{name}=\"urn:oasis:names:tc:opendocument:xmlns:{space}:1.0\"")
    });
    let svg = "xmlns:svg=\"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0\"";
    let content = format!(
        "<office:document-content {} {svg} xmlns:xlink=\"http://www.w3.org/1999/xlink\" office:version=\"1.2\">\
         <office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        names.join(" ")
    );
    archive(&[
        ("mimetype", media_type.as_bytes()),
        ("META-INF/manifest.xml", manifest.as_bytes()),
        ("content.xml", content.as_bytes()),
    ])
}

fn slide(text: &str, notes: &str) -> String {
    let frame = |text: &str| {
        format!(
            "<draw:frame svg:width=\"20cm\" svg:height=\"3cm\" svg:x=\"2cm\" svg:y=\"2cm\">\
             <draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"
        )
    };
    format!(
        "<draw:page>{}<presentation:notes>{}</presentation:notes></draw:page>",
        frame(text),
        frame(notes)
    )
}

#[tokio::test]
async fn a_text_document_is_ingested_into_pages() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let page_end = "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>";
    let body = paragraph("渔网的编法") + page_end + &paragraph("双套结与梭子");
    let bytes = docx(&body);
    let resource = admin.published("讲义.docx", "编网讲义", &bytes).await;
    assert_eq!((&resource["kind"], &resource["pages"]), (&json!("document"), &json!(2)));
    assert_eq!(resource["deck"], false);
    let base = text_of(&resource["links"]["base"]);
    nobody.get(&format!("{base}/pages/2.webp")).await.expect(200);
    let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200).text();
    assert_eq!(text.split('\u{c}').count(), 2, "{text}");
    let original = nobody.get(text_of(&resource["links"]["original"])).await.expect(200);
    assert_eq!(original.body, bytes);
    let hit = eventually("page 2 is found", Duration::from_secs(2), || async {
        nobody.search("双套结").await["hits"].get(0).cloned()
    })
    .await;
    let moment = &hit["moments"][0];
    assert_eq!((&moment["kind"], &moment["page"]), (&json!("page"), &json!(2)), "{moment}");
    app.check();
}

#[tokio::test]
async fn slides_are_found_by_what_they_show_and_by_their_notes() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let slides = slide("剪纸入门", "") + &slide("折叠", "提醒学员注意剪刀");
    let deck = open_document("presentation", &slides);
    let resource = admin.published("课件.odp", "剪纸课件", &deck).await;
    assert_eq!((&resource["pages"], &resource["deck"]), (&json!(2), &json!(true)));
    for (says, slide) in [("折叠", 2), ("注意剪刀", 2), ("剪纸入门", 1)] {
        let moments = eventually(says, Duration::from_secs(2), || async {
            let hit = nobody.search(says).await["hits"].get(0).cloned()?;
            Some(hit["moments"].as_array()?.clone()).filter(|moments| !moments.is_empty())
        })
        .await;
        assert_eq!((&moments[0]["kind"], &moments[0]["page"]), (&json!("slide"), &json!(slide)));
    }
    let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200).text();
    assert_eq!(text.split('\u{c}').count(), 2, "{text}");
    app.check();
}

#[tokio::test]
async fn hostile_office_documents_are_refused_with_a_sentence() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let plain = docx(&paragraph("x"));
    let white = " ".repeat(64 << 20);
    let bomb = docx(&format!("<w:p/>{white}"));
    let deep = docx(&"<w:p>".repeat(300));
    let laughs = format!(
        "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><w:document xmlns:w=\"{WORD}\"><w:body>\
         <w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body></w:document>"
    );
    let entity =
        archive(&[("[Content_Types].xml", b"<x/>"), ("word/document.xml", laughs.as_bytes())]);
    let names: Vec<String> = (0..10_001).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    for (name, bytes, code) in [
        ("断.docx", &plain[..plain.len() / 2], "archive_damaged"),
        ("弹.docx", &bomb, "archive_bomb"),
        ("深.docx", &deep, "xml_deep"),
        ("外.docx", &entity, "xml_declarations"),
        ("多.docx", &archive(&many), "archive_too_many"),
        (
            "乱.doc",
            &[&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[7; 3000]].concat(),
            "office_damaged",
        ),
    ] {
        let resource = failed(&admin, name, bytes).await;
        assert_eq!(resource["failure_code"], code, "{name}");
    }
    for (name, code) in [
        ("testWORD_protected_passtika.docx", "office_encrypted"),
        ("testEXCEL_protected_passtika.xlsx", "office_encrypted"),
        ("testODTEncrypted.odt", "office_encrypted"),
        ("testWORD_truncated.docx", "archive_damaged"),
    ] {
        if let Some(bytes) = fixture::shared(&format!("doc/{name}")) {
            let resource = failed(&admin, name, &bytes).await;
            assert_eq!(resource["failure_code"], code, "{name}");
        }
    }
    app.check();
}

#[tokio::test]
async fn documents_do_not_reach_what_they_name() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let secret = app.desk().join("secret.txt");
    std::fs::write(&secret, "绝密文字").expect("written");
    let linked = |address: &str| {
        format!(
            "<text:section text:name=\"{address}\"><text:section-source xlink:href=\"{address}\"/><text:p>旧文字</text:p></text:section>",
        )
    };
    let body = linked(&format!("file://{}", secret.display()))
        + &linked("file:///etc/passwd")
        + &linked("http://127.0.0.1:1/x.odt")
        + "<text:p>结尾</text:p>";
    let resource = admin.published("链.odt", "链接", &open_document("text", &body)).await;
    let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200).text();
    assert!(text.contains("结尾"), "{text}");
    assert!(!text.contains("绝密") && !text.contains("root:"), "{text}");
    if let Some(bytes) = fixture::shared("doc/testWORD_macros.docm") {
        let resource = admin.published("宏.docm", "宏", &bytes).await;
        assert_eq!(resource["pages"], 1);
    }
}

#[tokio::test]
async fn without_libreoffice_a_sentence_says_what_to_do() {
    let mut app = TestApp::stopped(&[]);
    if !app.serve_without("/usr/lib/libreoffice") {
        return;
    }
    let admin = app.admin().await;
    let resource = failed(&admin, "讲.docx", &docx(&paragraph("x"))).await;
    assert_eq!(resource["failure_code"], "office_missing");
    assert!(text_of(&resource["failure"]).contains("没有安装 LibreOffice"), "{resource:#}");
    // All else works.
    admin.published("讲义.pdf", "编网讲义", &fixture::pdf()).await;
    // Once it is there, the same document is read.
    app.stop();
    app.serve(&[]);
    let admin = admin.at(app.address());
    let id = text_of(&resource["id"]);
    admin.post(&format!("/api/resources/{id}/retry")).await.expect(200);
    assert_eq!(admin.settled(id).await["stage"], "published");
    app.check();
}

#[tokio::test]
async fn the_limits_of_documents_can_be_set() {
    let settings = [("DUOKU_MEDIA_MAX_ARCHIVE_ENTRIES", "2"), ("DUOKU_MEDIA_MAX_XML_DEPTH", "9")];
    let app = TestApp::with(&settings);
    let admin = app.admin().await;
    let resource = failed(&admin, "讲.docx", &docx(&paragraph("x"))).await;
    assert_eq!(resource["failure_code"], "archive_too_many");
    assert!(text_of(&resource["failure"]).contains("文件太多"), "{resource:#}");
}
