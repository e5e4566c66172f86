//! What a resource's page offers to take away.

use super::super::links::{DownloadLink, Links};
use crate::catalogue::{LANGUAGES, Resource, label_of};
use crate::pages::{Download, Lang};

/// The original, then what was made of it.
pub(super) fn downloads(resource: &Resource, links: &Links, lang: Lang) -> Vec<Download> {
    let original = links.original.iter().map(|href| Download {
        href: href.clone(),
        label: resource.file_name.clone(),
        size_bytes: u64::try_from(resource.size_bytes).ok(),
    });
    let made = links.downloads.iter().map(|link| Download {
        href: link.href.clone(),
        label: download_label(link, lang),
        size_bytes: Some(link.about_bytes),
    });
    original.chain(made).collect()
}

fn download_label(link: &DownloadLink, lang: Lang) -> String {
    let chinese = lang == Lang::Zh;
    let what = match (link.kind, chinese) {
        ("video", true) => "视频",
        ("video", false) => "Video",
        (_, true) => "音频",
        (_, false) => "Audio",
    };
    let language = link.language.as_deref().map(|code| label_of(LANGUAGES, code, chinese));
    let language = language.map_or(String::new(), |word| format!(" {word}"));
    let format = if link.kind == "video" { "MP4" } else { "M4A" };
    let open_close = if chinese { ("（", "）") } else { (" (", ")") };
    format!("{what}{language} {}{}{format}{}", link.label, open_close.0, open_close.1)
}
