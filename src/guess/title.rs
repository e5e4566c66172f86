//! A title out of a file's name, of what a document calls itself, or of its first line.

use std::sync::LazyLock;

use regex::Regex;

/// The longest line that is a title, in characters.
const MAX_LINE: usize = 40;

static CAMERA: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?ix)
        ^(?: (?:vid|img|mvi|dsc|dscn|pxl|dji|gopr|gh|mov|rec|audio|video|screenshot|wx_camera|mmexport|scan|doc)
             [\s_-]* \d [\d\s_-]* (?:hdr|pano|burst|lmc)? \d*
           | (?:微信|qq)(?:图片|视频|截图|录音|文件)? [\s_-]* [\d\s_-]*
           | (?:录屏|录音|屏幕录制|视频|照片|图片|新录音) [\s_-]* [\d\s_-]*
           | 新建\s*(?:microsoft\s*)?(?:word|excel|powerpoint|ppt|doc|docx|文本|演示)?\s*(?:文档|工作表|演示文稿|文稿)?
           | (?:powerpoint|ppt)\s*演示文稿 | 演示文稿 | 幻灯片 | (?:slide|page)\s*\d*
           | 未命名 | 无标题 | untitled | document | presentation | final | tmp | temp | new | output | export
           | [\d\s._-]+ | [0-9a-f-]{16,} )
        (?:[\s_-]*\(?\d+\)?)? $",
    )
});

static AT_END: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?ix) [\s_.-]*
        (?: [(（]\d{1,2}[)）] | 副本 | copy | (?:最终|终|修改|修订|正式|定)稿?版? | 定稿 | 最终 | 修改版
          | final | v\d+(?:\.\d+)* | \d{3,4}[pP] | [48]k | hd | 高清 | 超清 | 标清 | 压缩版? | (?:19|20)\d{6} (?:[\s_-]?\d{4,6})?
          | (?:19|20)\d{2}[-.年]\d{1,2}[-.月]\d{1,2}日? )
        $",
    )
});

static NUMBER_AT_START: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(?:\d{1,3}[\s_.、．-]+|[(（]\d{1,3}[)）]\s*)"));

static OFFICE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^microsoft (?:office )?(?:word|powerpoint|excel)\s*[-–]\s*"));

fn regex(text: &str) -> Regex {
    Regex::new(text).expect("written here")
}

/// The title that a file's name has in it; nothing where a camera or a program named it.
pub(super) fn of_file(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = match base.rsplit_once('.') {
        Some(("", _)) => return None,
        Some((stem, ending)) if (1..=5).contains(&ending.len()) => stem,
        _ => base,
    };
    cleaned(stem)
}

/// The title that a document carries in itself, where it says something.
pub(super) fn of_document(title: &str) -> Option<String> {
    let title = OFFICE.replace(title.trim(), "").into_owned();
    match title.rsplit_once('.') {
        Some((stem, ending))
            if ["doc", "docx", "ppt", "pptx", "wps", "pdf"].contains(&&*ending.to_lowercase()) =>
        {
            cleaned(stem)
        }
        _ => cleaned(&title),
    }
}

/// The first line of a text that looks like a title.
pub(super) fn of_text(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(5);
    let is_title = |line: &&str| {
        let letters = line.chars().filter(|c| c.is_alphabetic()).count();
        letters >= 2
            && line.chars().count() <= MAX_LINE
            && !line.ends_with(['。', '，', ',', '.', '；'])
    };
    lines.find(is_title).and_then(cleaned)
}

fn cleaned(text: &str) -> Option<String> {
    let spaced = text.replace(['_', '\u{3000}', '+'], " ");
    let mut title = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if CAMERA.is_match(text.trim()) || CAMERA.is_match(&title) {
        return None;
    }
    title = NUMBER_AT_START.replace(&title, "").into_owned();
    // Several may follow each other: `定稿(1)`.
    for _ in 0..4 {
        let shorter = AT_END.replace(&title, "").trim().to_owned();
        // A title of a year or a version alone stays what it is.
        if shorter == title || shorter.chars().filter(|c| c.is_alphabetic()).count() < 2 {
            break;
        }
        title = shorter;
    }
    let title = title.trim_matches([' ', '-', '.', '·', '—']).to_owned();
    let letters = title.chars().filter(|c| c.is_alphabetic()).count();
    (letters >= 2 && !CAMERA.is_match(&title)).then_some(title)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_files_lose_what_is_no_title() {
        for (name, title) in [
            ("剪纸入门_第一课.mp4", "剪纸入门 第一课"),
            ("03-黄海渔民编网技艺（定稿）.docx", "黄海渔民编网技艺（定稿）"),
            ("茶叶炒制_最终版(1).pptx", "茶叶炒制"),
            ("太极拳教学 1080P.mov", "太极拳教学"),
            ("2024-05-01 村史讲座.mp3", "2024-05-01 村史讲座"),
            ("花馍制作_20231012.mp4", "花馍制作"),
            ("第01讲 课程导论（双语）.mkv", "第01讲 课程导论（双语）"),
            ("民法典宣讲 - 副本.pdf", "民法典宣讲"),
            ("a/b\\老年人智能手机使用教程v2.pdf", "老年人智能手机使用教程"),
        ] {
            assert_eq!(of_file(name).as_deref(), Some(title), "{name}");
        }
    }

    #[test]
    fn what_a_camera_named_has_no_title() {
        for name in [
            "VID_20231012_093015.mp4",
            "IMG_0231.JPG",
            "微信视频20240301.mp4",
            "微信图片_20240301101010.jpg",
            "mmexport1699999999999.mp4",
            "新建 Microsoft Word 文档.docx",
            "新建 Microsoft Word 文档 (2).docx",
            "录屏2024-01-01 10-00-00.mp4",
            "1.pdf",
            "20240301.mp4",
            "PowerPoint 演示文稿.pptx",
            "DSC00012.mov",
            ".mp4",
        ] {
            assert_eq!(of_file(name), None, "{name}");
        }
    }

    #[test]
    fn what_documents_call_themselves() {
        assert_eq!(of_document("Microsoft Word - 剪纸教程.doc").as_deref(), Some("剪纸教程"));
        assert_eq!(of_document("PowerPoint 演示文稿"), None);
        assert_eq!(of_document("Debian 参考手册").as_deref(), Some("Debian 参考手册"));
        let text = "\n 1 \n岚山区渔民号子\n一、起源\n今天，我们来学习。";
        assert_eq!(of_text(text).as_deref(), Some("岚山区渔民号子"));
        assert_eq!(of_text("今天我们学习黄海渔民的编网技艺，大家好。\n"), None);
    }

    proptest! {
        #[test]
        fn any_name_gives_a_tidy_title_or_none(name in ".{0,60}") {
            for title in [of_file(&name), of_document(&name), of_text(&name)].into_iter().flatten() {
                prop_assert_eq!(title.trim(), title.as_str());
                prop_assert!(!title.contains('\n') && title.chars().count() <= 60);
            }
        }
    }
}
