//! What is read in chapters: EPUB, Markdown, HTML, plain text.

use std::time::Duration;

use serde_json::json;

use crate::app::{TestApp, eventually};
use crate::client::text_of;
use crate::fixture::{self, archive};
use crate::sources::failed;

const CONTAINER: &str =
    "<container><rootfiles><rootfile full-path=\"OPS/book.opf\"/></rootfiles></container>";

const PACKAGE: &str = "<package><metadata><dc:title>渔家旧事</dc:title><dc:creator>王海生</dc:creator>\
    <dc:language>zh-CN</dc:language></metadata><manifest>\
    <item id=\"n\" href=\"nav.xhtml\" media-type=\"application/xhtml+xml\" properties=\"nav\"/>\
    <item id=\"a\" href=\"text/a.xhtml\" media-type=\"application/xhtml+xml\"/>\
    <item id=\"b\" href=\"text/b.xhtml\" media-type=\"application/xhtml+xml\"/>\
    <item id=\"p\" href=\"cover.bmp\" media-type=\"image/bmp\" properties=\"cover-image\"/>\
    </manifest><spine><itemref idref=\"a\"/><itemref idref=\"b\"/></spine></package>";

const NAV: &str = "<html><body><nav epub:type=\"toc\"><ol><li><a href=\"text/a.xhtml\">出海</a></li>\
    <li><a href=\"text/b.xhtml\">归港</a><ol><li><a href=\"text/b.xhtml#end\">尾声</a></li></ol></li></ol></nav></body></html>";

const FIRST: &str = "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/><script>steal()</script></head>\
    <body onload=\"steal()\"><h1>出海</h1><a id=\"x\"/><p>天没亮就起锚。<img src=\"../cover.bmp\" alt=\"船\"/>\
    <img src=\"http://127.0.0.1:1/t.gif\"/><a href=\"b.xhtml#end\">后来</a></p><iframe src=\"/api/resources\"></iframe></body></html>";

const SECOND: &str = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><h1>归港</h1><p>船头插着红旗。</p>\
    <p id=\"end\">潮水<ruby>退<rt>tuì</rt></ruby>去，梭子鱼满舱。</p></body></html>";

/// A book of two chapters, with `first` in the first one and more files.
fn epub(first: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let picture = fixture::picture(3);
    let mut files: Vec<(&str, &[u8])> = vec![
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", CONTAINER.as_bytes()),
        ("OPS/book.opf", PACKAGE.as_bytes()),
        ("OPS/nav.xhtml", NAV.as_bytes()),
        ("OPS/text/a.xhtml", first.as_bytes()),
        ("OPS/text/b.xhtml", SECOND.as_bytes()),
        ("OPS/cover.bmp", &picture),
    ];
    files.extend(more);
    archive(&files)
}

#[tokio::test]
async fn an_epub_is_ingested_into_chapters_that_are_read_and_found() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("书.epub", "书", &epub(FIRST, &[])).await;
    let id = text_of(&resource["id"]);
    assert_eq!((&resource["kind"], &resource["pages"]), (&json!("document"), &json!(null)));
    assert_eq!((&resource["title"], &resource["author"]), (&json!("渔家旧事"), &json!("王海生")));
    assert_eq!(resource["language"], "zh-Hans");
    let titles: Vec<&str> = resource["contents"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| text_of(&c["title"]))
        .collect();
    assert_eq!(titles, ["出海", "归港"]);

    let base = text_of(&resource["links"]["base"]);
    let chapter = nobody.get(&format!("{base}/chapters/1.html")).await.expect(200);
    let policy = chapter.header("content-security-policy");
    assert!(policy.starts_with("sandbox ") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("allow-scripts"), "{policy}");
    assert_eq!(chapter.header("x-content-type-options"), "nosniff");
    assert_eq!(chapter.header("content-type"), "text/html; charset=utf-8");
    let html = chapter.text();
    for bad in ["script", "onload", "steal", "iframe", "http://127.0.0.1"] {
        assert!(!html.contains(bad), "{bad}: {html}");
    }
    assert!(
        html.contains("src=\"../figures/1.webp\"") && html.contains("href=\"2.html#end\""),
        "{html}"
    );
    let figure = nobody.get(&format!("{base}/figures/1.webp")).await.expect(200);
    assert_eq!(figure.header("content-type"), "image/webp");
    nobody.get(&format!("{base}/chapters/style.css")).await.expect(200);
    for missing in
        ["chapters/0.html", "chapters/3.html", "chapters/x.html", "figures/2.webp", "pages/1.webp"]
    {
        nobody.get(&format!("{base}/{missing}")).await.expect(404);
    }
    let poster = nobody.get(text_of(&resource["links"]["poster"])).await.expect(200);
    assert_eq!(&poster.body[..3], b"\xff\xd8\xff");
    let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200).text();
    assert_eq!(text.split('\u{c}').count(), 2, "{text}");
    assert!(text.contains("潮水退去") && !text.contains("tuì"), "{text}");

    let hit = eventually("chapter 2 is found", Duration::from_secs(2), || async {
        nobody.search("梭子鱼").await["hits"].get(0).cloned()
    })
    .await;
    let moment = &hit["moments"][0];
    assert_eq!((&moment["kind"], &moment["page"]), (&json!("chapter"), &json!(2)), "{moment}");
    let url = text_of(&moment["url"]);
    assert!(url.starts_with(&format!("/resources/{id}?chapter=2&q=")), "{url}");
    let page = nobody.get(url).await.expect(200).text();
    assert!(page.contains(&format!("src=\"{base}/chapters/2.html\"")), "the chapter is framed");
    assert!(page.contains("sandbox=\"allow-same-origin ") && !page.contains("allow-scripts"));
    assert!(page.contains("?chapter=2&amp;at=end&amp;q="), "the table of contents keeps the query");
    let page =
        nobody.get(&format!("/resources/{id}?chapter=99&at=%22%3E")).await.expect(200).text();
    assert!(page.contains("/chapters/2.html#%22%3E\""), "beyond the last is the last");
    app.check();
}

#[tokio::test]
async fn texts_have_their_headings_as_chapters() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let markdown = "开头。\n\n# 选料\n\n红纸。<script>x()</script>\n\n# 折叠\n\n对折三次。\n";
    let html = "<!DOCTYPE html><title>纸</title><h2>选料</h2><p>红纸。<img src=x onerror=x()></p><h2>折叠</h2><p>对折三次。</p>";
    let plain = "第一章 选料\n红纸。\n\n第二章 折叠\n　　对折三次。\n";
    let (gb, ..) = encoding_rs::GB18030.encode(plain);
    let wide: Vec<u8> =
        std::iter::once(0xfeff).chain(html.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, bytes, chapters) in [
        ("a.md", markdown.as_bytes(), 3),
        ("b.html", html.as_bytes(), 2),
        ("c.htm", &wide, 2),
        ("d.txt", &gb, 2),
        ("e.txt", "只有一段。".as_bytes(), 1),
    ] {
        let resource = admin.published(name, name, bytes).await;
        let contents = resource["contents"].as_array().expect("a list");
        assert_eq!(contents.len(), chapters, "{name}: {contents:?}");
        let base = text_of(&resource["links"]["base"]);
        let last = nobody.get(&format!("{base}/chapters/{chapters}.html")).await.expect(200).text();
        assert!(last.contains("对折三次。") || chapters == 1, "{name}: {last}");
        assert!(!last.contains("script") && !last.contains("onerror"), "{name}: {last}");
        let original = nobody.get(text_of(&resource["links"]["original"])).await.expect(200);
        assert!(original.header("content-disposition").starts_with("attachment"), "{name}");
        assert_eq!(original.body, bytes, "{name}");
    }
    app.check();
}

#[tokio::test]
async fn hostile_books_are_refused_with_a_sentence() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let deep = "<p>".repeat(300);
    let laughs = "<!DOCTYPE html [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><html><body>&b;</body></html>";
    let white = " ".repeat(64 << 20);
    let bomb = epub(&format!("<p>{white}</p>"), &[]);
    let locks = "<encryption><EncryptedData><EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/>\
        </EncryptedData></encryption>";
    let whole = epub(FIRST, &[]);
    for (name, bytes, code) in [
        ("深.epub", &epub(&deep, &[])[..], "xml_deep"),
        ("笑.epub", &epub(laughs, &[]), "xml_declarations"),
        ("弹.epub", &bomb, "archive_bomb"),
        ("锁.epub", &epub(FIRST, &[("META-INF/encryption.xml", locks.as_bytes())]), "book_locked"),
        ("断.epub", &whole[..whole.len() / 2], "archive_damaged"),
        ("空.epub", &archive(&[("mimetype", b"application/epub+zip")]), "book_damaged"),
        ("空.txt", b"   \n \n", "book_empty"),
        ("深.html", "<div>".repeat(400).as_bytes(), "xml_deep"),
    ] {
        let resource = failed(&admin, name, bytes).await;
        assert_eq!(resource["failure_code"], code, "{name}");
    }
    // Fonts may be scrambled.
    let fonts = locks.replace(
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        "http://www.idpf.org/2008/embedding",
    );
    let book = epub(FIRST, &[("META-INF/encryption.xml", fonts.as_bytes())]);
    admin.published("字.epub", "字", &book).await;
    app.check();
}

#[tokio::test]
async fn real_books_are_read() {
    let known = [
        ("debian-edu-bullseye-manual.zh-cn.epub", 28, "无盘工作站"),
        ("childrens-literature.epub", 3, "fairy tale"),
        ("regime-anticancer-arabic.epub", 3, "السرطان"),
        ("wasteland.epub", 1, "handful of dust"),
        ("testEPUB.epub", 3, ""),
    ];
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    for (name, chapters, says) in known {
        let Some(bytes) = fixture::shared(&format!("doc/{name}")) else { continue };
        let resource = admin.published(name, name, &bytes).await;
        let contents = resource["contents"].as_array().expect("a list");
        assert_eq!(contents.len(), chapters, "{name}");
        let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200).text();
        assert!(text.contains(says), "{name}");
    }
    app.check();
}
