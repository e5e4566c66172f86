//! Markdown, plain text and HTML as one clean page.

use std::sync::Arc;

use pulldown_cmark::{Options, Parser};

use super::clean::{Places, clean};
use super::{Error, MAX_TITLE, xhtml};
use crate::media::archive::Limits;
use crate::media::captions::lines::tidy;

/// A page, and what it says of itself.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    pub(super) right_to_left: bool,
    pub(super) language: Option<String>,
    pub(super) html: String,
}

/// CommonMark with tables, footnotes and lists of tasks.
pub(super) fn markdown(text: &str) -> Page {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, Parser::new_ext(text, options));
    Page { html: alone(&html), ..Page::default() }
}

/// HTML, also as XML.
pub(super) fn html(text: &str, limits: &Limits) -> Result<Page, Error> {
    let head = text.get(..text.floor_char_boundary(4096)).unwrap_or(text).to_ascii_lowercase();
    let as_xml =
        head.trim_start().starts_with("<?xml") || head.contains("http://www.w3.org/1999/xhtml");
    let body = if as_xml { xhtml::to_html(text, limits.max_depth)? } else { None };
    let title = between(text, &head, "<title", "</title");
    let root = head.find("<html").and_then(|at| head[at..].split('>').next()).unwrap_or_default();
    let value = |name: &str| {
        let (_, rest) = root.split_once(&format!(" {name}="))?;
        Some(rest.trim_start_matches(['"', '\'']).split(['"', '\'', ' ']).next()?.to_owned())
    };
    Ok(Page {
        title: title.and_then(|title| tidy(&unescaped(title), MAX_TITLE)),
        right_to_left: value("dir").is_some_and(|dir| dir == "rtl"),
        language: value("lang"),
        html: alone(body.as_deref().unwrap_or(text)),
    })
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What of `text` stands between two tags; `lower` is its beginning in small letters.
fn between<'a>(text: &'a str, lower: &str, from: &str, to: &str) -> Option<&'a str> {
    let at = lower.find(from)?;
    let begin = at + lower[at..].find('>')? + 1;
    let end = begin + lower[begin..].find(to)?;
    text.get(begin..end)
}

/// Lines as they are; those that name a chapter become headings.
pub(super) fn plain(text: &str) -> Page {
    let mut html = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let escaped = line.trim_end().replace('&', "&amp;").replace('<', "&lt;");
        match escaped.trim() {
            "" => {}
            heading if is_heading(heading) => html.push_str(&format!("<h2>{heading}</h2>\n")),
            // Tables and code are drawn with blanks.
            _ if has_columns(&escaped) => html.push_str(&format!("<pre>{escaped}</pre>\n")),
            line => html.push_str(&format!("<p>{line}</p>\n")),
        }
    }
    Page { html: alone(&html.replace("</pre>\n<pre>", "\n")), ..Page::default() }
}

fn has_columns(line: &str) -> bool {
    line.starts_with('\t') || line.trim_start().contains("   ") || line.starts_with("    ")
}

/// `第三章 出海`, `第12回`, `Chapter 3`, `序言`.
fn is_heading(line: &str) -> bool {
    if line.chars().count() > 40 {
        return false;
    }
    if let Some(rest) = line.strip_prefix('第') {
        let number = |c: char| c.is_ascii_digit() || "〇零一二三四五六七八九十百千两".contains(c);
        let unit = rest.trim_start_matches(|c| number(c) || c == ' ');
        return unit.len() < rest.len()
            && unit.starts_with(['章', '回', '节', '卷', '篇', '课', '讲', '编']);
    }
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    let second = words.next().unwrap_or_default().trim_end_matches(['.', ':']);
    let roman = |word: &str| !word.is_empty() && word.bytes().all(|b| b"IVXLC".contains(&b));
    matches!(line, "序" | "序言" | "前言" | "后记" | "引言" | "跋")
        || matches!(first.as_str(), "chapter" | "part")
            && (second.parse::<u16>().is_ok() || roman(second))
}

fn alone(html: &str) -> String {
    clean(html, "", &Arc::new(Places::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_of_plain_text_are_known_by_their_lines() {
        for heading in ["第三章 出海", "第 12 回", "Chapter 3", "CHAPTER IV.", "序言", "第一课"]
        {
            assert!(is_heading(heading), "{heading}");
        }
        for other in ["第三天出海", "第三", "chapters of", "一章", "Part of it"] {
            assert!(!is_heading(other), "{other}");
        }
    }

    #[test]
    fn markdown_that_holds_html_is_cleaned() {
        let page = markdown(
            "# 标题\n\n<script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[x](javascript:alert(1)) ![p](http://e/p.gif)\n",
        );
        assert!(page.html.contains("<h1>标题</h1>") && page.html.contains("<td>1</td>"));
        assert!(!page.html.contains("script") && !page.html.contains("http://e"));
    }

    #[test]
    fn html_tells_its_title_and_direction() {
        let limits = Limits { max_entries: 1, max_inflated_bytes: 1, max_ratio: 1, max_depth: 99 };
        let text = "<!DOCTYPE html><html lang=\"ar\" dir='rtl'><title>A &amp; B</title><p>x";
        let page = html(text, &limits).expect("read");
        assert_eq!((page.title.as_deref(), page.right_to_left), (Some("A & B"), true));
        assert_eq!(page.language.as_deref(), Some("ar"));
        assert!(!page.html.contains("A &amp; B"), "{}", page.html);
    }
}
