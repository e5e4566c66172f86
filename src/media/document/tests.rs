use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{helper::Running, *};
use crate::media::sandbox::HELPERS;

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/media").join(name);
    path.exists().then_some(path)
}

fn open(name: &str) -> Option<File> {
    Some(File::open(shared(name)?).unwrap())
}

/// A PDF with one page for each (media box, rotation, text), written by hand.
fn pdf(pages: &[(&str, u32, &str)]) -> File {
    use std::io::Write;
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {}/Kids[{}]>>", pages.len(), kids.join(" ")),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for (n, (media_box, rotation, text)) in pages.iter().enumerate() {
        let content = format!("BT /F 24 Tf 72 100 Td ({text}) Tj ET");
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[{media_box}]/Rotate {rotation}\
             /Resources<</Font<</F 3 0 R>>>>/Contents {} 0 R>>",
            5 + 2 * n
        ));
        objects.push(format!("<</Length {}>>stream\n{content}\nendstream", content.len()));
    }
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (n, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", n + 1).into_bytes());
    }
    let start = bytes.len();
    table +=
        &format!("trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    bytes.extend(table.into_bytes());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file
}

fn render_all(source: &File, document: &Document) -> (tempfile::TempDir, Vec<RenderedPage>) {
    let scratch = tempfile::tempdir().unwrap();
    let mut pages = Vec::new();
    render(source, scratch.path(), document, 1..=u32::MAX, &mut |page| pages.push(page)).unwrap();
    (scratch, pages)
}

#[test]
fn the_programs_are_the_sandboxes() {
    let names = [Program::Render, Program::Text, Program::Html, Program::Info];
    let listed = ["pdftoppm", "pdftotext", "pdftohtml", "pdfinfo"];
    for ((program, path), name) in names.iter().zip(HELPERS).zip(listed) {
        assert!(path.ends_with(name), "{path} {}", *program as usize);
    }
}

#[test]
fn a_turned_page_is_upright_with_its_words_on_it() {
    let file =
        pdf(&[("0 0 600 300", 0, "Hello"), ("0 0 600 300", 90, "Hello"), ("0 0 600 300", 0, "")]);
    let document = inspect(&file, MAX_PAGES).unwrap();
    assert_eq!(document.pages, 3);
    assert_eq!(document.page_sizes[0], PageSize { width_pt: 600.0, height_pt: 300.0 });
    assert_eq!(document.page_sizes[1], PageSize { width_pt: 300.0, height_pt: 600.0 });

    let (scratch, rendered) = render_all(&file, &document);
    let sizes: Vec<_> =
        rendered.iter().map(|page| (page.files[0].width, page.files[0].height)).collect();
    assert_eq!(sizes, [(1600, 800), (1600, 3200), (1600, 800)]);
    assert_eq!(rendered[1].files[1].name, "p00002-480.webp");

    let texts = text(&file, &document, 1..=3).unwrap();
    assert_eq!(
        texts.iter().map(|page| page.text.as_str()).collect::<Vec<_>>(),
        ["Hello", "Hello", ""]
    );
    for page in &texts[..2] {
        let name = &rendered[page.page as usize - 1].files[0].name;
        let picture =
            transcode::picture::decode(File::open(scratch.path().join(name)).unwrap()).unwrap();
        let inside = ink(&picture, &page.words[0]);
        let everywhere = ink(&picture, &WordBox { w: 1.0, h: 1.0, ..WordBox::default() });
        assert!(inside > 500 && inside * 100 >= everywhere * 98, "{inside} of {everywhere}");
    }
}

/// How many pixels are dark in the box of a word.
fn ink(picture: &transcode::picture::Picture, word: &WordBox) -> usize {
    let rows = picture.rgb.chunks_exact(picture.width as usize * 3).enumerate();
    let within = |at: usize, side: u32, from: f32, length: f32| {
        let part = at as f32 / side as f32;
        (from - 0.002..=from + length + 0.002).contains(&part)
    };
    rows.filter(|(y, _)| within(*y, picture.height, word.y, word.h))
        .flat_map(|(_, row)| row.chunks_exact(3).enumerate())
        .filter(|(x, rgb)| within(*x, picture.width, word.x, word.w) && rgb[0] < 128)
        .count()
}

#[test]
fn one_bad_page_is_only_one_bad_page() {
    // The second page is a thousand times higher than wide, the third is nothing.
    let file = pdf(&[
        ("0 0 300 300", 0, "a"),
        ("0 0 10 10000", 0, ""),
        ("0 0 0 0", 0, ""),
        ("0 0 300 300", 0, "b"),
    ]);
    let document = inspect(&file, MAX_PAGES).unwrap();
    let (_, rendered) = render_all(&file, &document);
    assert_eq!(rendered.iter().map(|page| page.page).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(!rendered[0].files.is_empty() && !rendered[3].files.is_empty());
    assert!(rendered.iter().flat_map(|page| &page.files).all(|file| file.height <= 8192));
    let texts = text(&file, &document, 1..=4).unwrap();
    assert_eq!((texts[0].text.as_str(), texts[3].text.as_str()), ("a", "b"));
}

#[test]
fn too_many_pages_are_refused() {
    let file = pdf(&[("0 0 30 30", 0, ""), ("0 0 30 30", 0, "")]);
    assert_eq!(inspect(&file, 1).unwrap_err().code(), "too_many_pages");
    assert_eq!(info::parse("Pages: 20001", u32::MAX).unwrap_err().code(), "too_many_pages");
    assert_eq!(info::parse("Pages: 0", 1).unwrap_err().code(), "empty");
}

#[test]
fn what_is_no_document_is_said() {
    let file = tempfile::tempfile().unwrap();
    assert_eq!(inspect(&file, MAX_PAGES).unwrap_err().code(), "damaged");
    let this = File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert_eq!(inspect(&this, MAX_PAGES).unwrap_err().code(), "damaged");
}

#[test]
fn a_helper_that_takes_too_long_is_ended() {
    use std::io::Read;
    // It waits for somebody to read the 200 MB that it draws.
    let file = pdf(&[("0 0 300 300", 0, "a")]);
    let mut running =
        Running::start(Program::Render, &["-r", "2000"], &file, Duration::from_millis(100))
            .unwrap();
    let mut output = running.output();
    std::thread::sleep(Duration::from_millis(400));
    assert!(output.read_to_end(&mut Vec::new()).unwrap() < 1 << 20);
    drop(output);
    assert!(matches!(running.end(), Err(Error::Timeout(_))));
}

#[test]
fn a_title_cannot_say_how_many_pages_there_are() {
    let document =
        info::parse("Title:  x\nPages: 9\nPages:   2\nPage    1 size: 1 x 2 pts\n", 100).unwrap();
    assert_eq!((document.pages, document.page_sizes.len()), (2, 2));
    assert_eq!((document.page_size(1).is_some(), document.page_size(2)), (true, None));
}

#[test]
fn real_documents() {
    let known = [
        ("doc/debian-reference.zh-cn.pdf", Ok(251)),
        ("doc/pdf-GeoTopo-komprimiert.pdf", Ok(117)),
        ("doc/pdf-crazyones-pdfa.pdf", Ok(1)),
        ("doc/pdf-habibi.pdf", Ok(1)),
        ("doc/pdf-multicolumn.pdf", Ok(3)),
        ("doc/pdf-pdflatex-outline.pdf", Ok(4)),
        ("doc/pdf-with-attachment.pdf", Ok(1)),
        ("doc/testPDF_protected.pdf", Ok(41)),
        ("derived/maint-guide-linearized.zh-cn.pdf", Ok(63)),
        ("derived/scan-zh-3pages.pdf", Ok(3)),
        ("derived/maint-guide-aes256.zh-cn.pdf", Err("encrypted")),
        ("doc/pdf-libreoffice-writer-password.pdf", Err("encrypted")),
        ("doc/testUnicodePassword.pdf", Err("encrypted")),
        // Half a file: 63 pages are named and not one can be read.
        ("derived/maint-guide-cut.zh-cn.pdf", Err("damaged")),
        ("doc/testWORD.doc", Err("damaged")),
        ("image/london.jpg", Err("damaged")),
    ];
    for (name, expected) in known {
        let Some(file) = open(name) else { continue };
        let seen = inspect(&file, MAX_PAGES);
        let seen = seen.as_ref().map(|document| document.pages).map_err(Error::code);
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn a_chinese_manual_has_title_outline_and_words() {
    let Some(file) = open("doc/debian-reference.zh-cn.pdf") else { return };
    let document = inspect(&file, MAX_PAGES).unwrap();
    assert_eq!(document.title.as_deref(), Some("Debian 参考手册"));
    assert_eq!(document.author.as_deref(), Some("Osamu Aoki (青木 修)"));
    assert!(document.outline.len() > 100);
    assert_eq!(document.outline[0].title, "GNU/Linux 教程");
    assert_eq!((document.outline[0].page, document.outline[0].depth), (29, 0));
    assert_eq!((document.outline[1].title.as_str(), document.outline[1].depth), ("控制台基础", 1));

    let texts = text(&file, &document, 1..=60).unwrap();
    assert_eq!(texts.len(), 60);
    assert!(texts[1].text.contains("参考手册"));
    assert!(texts.iter().any(|page| page.text.contains("控制台基础")));
    let words = texts.iter().flat_map(|page| &page.words);
    assert!(words.clone().count() > 5_000);
    assert!(words.clone().all(|word| word.x >= 0.0 && word.x + word.w <= 1.0001));
    assert!(words.clone().all(|word| word.y >= 0.0 && word.y + word.h <= 1.0001));
}

#[test]
fn scanned_pages_are_shown_without_text() {
    let Some(file) = open("derived/scan-zh-3pages.pdf") else { return };
    let document = inspect(&file, MAX_PAGES).unwrap();
    let (_, rendered) = render_all(&file, &document);
    assert_eq!(rendered.len(), 3);
    assert!(rendered.iter().all(|page| page.files.len() == 2 && page.files[0].width == 1600));
    assert!(text(&file, &document, 1..=3).unwrap().iter().all(|page| page.text.is_empty()));
}

proptest! {
    #[test]
    fn any_answer_of_pdfinfo_is_taken_without_panic(answer in "((Pages|Page +[0-9]{1,9} (size|rot)|Title):[ 0-9x.a-]*\n|\\PC*\n)*") {
        if let Ok(document) = info::parse(&answer, MAX_PAGES) {
            prop_assert_eq!(document.page_sizes.len(), document.pages as usize);
        }
    }

    #[test]
    fn any_answer_of_pdftotext_is_taken_without_panic(
        answer in "(<page width=\"[0-9]\" height=\"[0-9]\">|<word xMin=\"[0-9.e-]{1,4}\" yMin=\"[0-9]\" xMax=\"[0-9]\" yMax=\"[0-9]\">|</word>|</block>|</page>|&amp;|&#0;|<|&|\\PC)*"
    ) {
        for page in text::parse(&answer, 1, |_| None) {
            for word in page.words {
                prop_assert!(word.x >= 0.0 && word.y >= 0.0 && word.w > 0.0 && word.h > 0.0);
                prop_assert!(word.x + word.w <= 1.001 && !word.text.is_empty());
            }
        }
    }
}
