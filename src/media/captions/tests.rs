use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/media").join(name);
    path.exists().then_some(path)
}

fn cue(start_ms: u64, end_ms: u64, text: &str) -> Cue {
    Cue { start_ms, end_ms, text: text.into(), settings: None }
}

const SRT: &str = "1\r\n00:00:01,000 --> 00:00:02,500\r\n今天我们学习黄海渔民的编网技艺\r\n\r\n\
    2\r\n00:00:03,000 --> 00:00:04,000\r\n第二句话，大家好\r\n";

fn expected() -> Vec<Cue> {
    vec![cue(1000, 2500, "今天我们学习黄海渔民的编网技艺"), cue(3000, 4000, "第二句话，大家好")]
}

#[test]
fn chinese_is_read_in_every_encoding() {
    let utf16 = |to: fn(u16) -> [u8; 2]| SRT.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    let bytes = [
        SRT.as_bytes().to_vec(),
        ["\u{FEFF}".as_bytes(), SRT.as_bytes()].concat(),
        [&[0xFF, 0xFE], &little[..]].concat(),
        [&[0xFE, 0xFF], &big[..]].concat(),
        little,
        big,
        encoding_rs::GB18030.encode(SRT).0.into_owned(),
    ];
    for (n, bytes) in bytes.iter().enumerate() {
        let captions = parse(bytes, "字幕.srt").unwrap();
        assert_eq!(captions.cues, expected(), "{n}");
        assert_eq!(captions.language_guess.as_deref(), Some("zh-Hans"), "{n}");
    }
}

#[test]
fn traditional_chinese_is_read_in_big5() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\n漁民編網的技藝，我們來學習\n";
    let captions = parse(&encoding_rs::BIG5.encode(text).0, "x.srt").unwrap();
    assert_eq!(captions.cues, [cue(1000, 2000, "漁民編網的技藝，我們來學習")]);
    assert_eq!(captions.language_guess.as_deref(), Some("zh-Hant"));
}

#[test]
fn other_legacy_text_is_not_taken_for_chinese() {
    let text =
        "1\n00:00:01,000 --> 00:00:02,000\nL'été où la forêt était déjà à côté, ça va très bien\n";
    let bytes = encoding_rs::WINDOWS_1252.encode(text).0;
    assert_eq!(
        parse(&bytes, "").unwrap().cues[0].text,
        "L'été où la forêt était déjà à côté, ça va très bien"
    );
}

#[test]
fn markup_is_cleaned_and_balanced() {
    let clean = |text: &str| markup::clean(text);
    assert_eq!(clean("<i>a <b>b</i> c</b>"), "<i>a <b>b</b></i> c");
    assert_eq!(
        clean("<font color=\"red\">a</font> <c.x>b</c> <v 老师>好</v> <00:01.000>c"),
        "a b 好 c"
    );
    assert_eq!(
        clean("1 < 2 & 3 > 2 &amp;&lt;i&gt;&#x41;&bad;"),
        "1 &lt; 2 &amp; 3 &gt; 2 &amp;&lt;i&gt;A&amp;bad;"
    );
    assert_eq!(
        clean("<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby> <rt>x</rt>"),
        "<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby> x"
    );
    assert_eq!(clean(" a \n\n\u{7}\n <U>b"), "a\n<u>b</u>");
    assert_eq!(clean("<script>alert(1)</script><img src=x onerror=y>"), "alert(1)");
    assert_eq!(clean("<script src=x"), "&lt;script src=x");
}

#[test]
fn the_index_sees_plain_lines() {
    let text = "<ruby>漢<rt>kan</rt>字</ruby>的\n编网<i>技艺</i>\nand &lt;more&gt;";
    assert_eq!(plain(&cue(0, 1, text)), "漢字的编网技艺 and <more>");
}

#[test]
fn settings_are_validated() {
    let valid =
        settings::valid("line:0 position:10%,line-left align:start size:50% vertical:rl region:a");
    assert_eq!(
        valid.as_deref(),
        Some("line:0 position:10%,line-left align:start size:50% vertical:rl")
    );
    assert_eq!(
        settings::valid("line:x align:undefined size:101% position:undefined% line:-1 line:5"),
        Some("line:-1".into())
    );
    assert_eq!(settings::valid("size:1e1% size:.5% size:%"), None);
}

#[test]
fn srt_is_read_as_players_do() {
    let text = "00:01,000 --> 00:02,000\nno number\n\n7\n0:00:03 --> 0:00:04 X1:1 Y1:2\n{\\an8}two\n\nparts\n\n\
        3\n00:00:05,000 --> 00:00:04,000\nbackwards\n4\n00:00:08,000 --> 00:00:09,000\nlate\n\
        5\n00:00:06,000 --> 00:00:07,000\nearly\n\n6\n00:00:10,000 --> 00:00:11,000\n\n";
    let captions = parse(text.as_bytes(), "").unwrap();
    let expected = [
        cue(1000, 2000, "no number"),
        cue(3000, 4000, "two\nparts"),
        cue(6000, 7000, "early"),
        cue(8000, 9000, "late"),
    ];
    assert_eq!(captions.cues, expected);
    assert_eq!(captions.dropped, 2);
}

#[test]
fn vtt_keeps_cues_and_leaves_the_rest() {
    let text = "WEBVTT - talk\nKind: captions\nLanguage: zh-TW\n\nNOTE a comment\nof lines\n\n\
        STYLE\n::cue { color: red }\n\nid\n00:01.000 --> 00:02.000 align:start bad:1\n<v 甲>a</v>\n\
        00:03.000 --> 00:04.000\nb\n\n0:0 --> 1\nbad\n";
    let captions = parse(text.as_bytes(), "x.vtt").unwrap();
    let first = Cue { settings: Some("align:start".into()), ..cue(1000, 2000, "a") };
    assert_eq!(captions.cues, [first, cue(3000, 4000, "b")]);
    assert_eq!((captions.dropped, captions.language_guess.as_deref()), (1, Some("zh-Hant")));
    assert_eq!(
        to_webvtt(&captions),
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 align:start\na\n\n00:00:03.000 --> 00:00:04.000\nb\n"
    );
}

#[test]
fn ass_gives_words_and_times() {
    let text = "[Script Info]\nTitle: x\n\n[Events]\nFormat: Start, End, Text\n\
        Dialogue: 0:00:01.50,0:00:02.00,{\\i1}a{\\i0}, b\\Nc\\h{\\b700\\an8}d\n\
        Dialogue: 0:00:01.50,0:00:02.00,{\\i1}a{\\i0}, b\\Nc\\h{\\b700\\an8}d\n\
        Dialogue: 0:00:03.00,0:00:04.00,{\\p1}m 0 0 l 1 1{\\p0}\nComment: 0:00:03.00,0:00:04.00,no\n\
        Dialogue: bad,0:00:04.00,x\nDialogue: 0:00:05.00,0:00:06.00,{\\é\\}{e\n";
    let captions = parse(text.as_bytes(), "").unwrap();
    assert_eq!(
        captions.cues,
        [cue(1500, 2000, "<i>a</i>, b\nc\u{A0}<b>d</b>"), cue(5000, 6000, "{e")]
    );
    assert_eq!(captions.dropped, 1);
}

#[test]
fn what_cannot_be_used_is_said() {
    let code = |bytes: &[u8]| parse(bytes, "x.srt").unwrap_err().code();
    assert_eq!(code(b""), "empty");
    assert_eq!(code(b"\xEF\xBB\xBF \r\n"), "empty");
    assert_eq!(code(b"WEBVTT\n\nNOTE nothing\n"), "empty");
    assert_eq!(code(b"just a letter"), "unknown");
    assert_eq!(code(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\0\0\0\x01\0\x08\x02\0\0\0\x90\x91\x01\x02\x03\x04\x05"), "not_text");
    assert_eq!(code(b"1\n00:00:02,000 --> 00:00:01,000\nx\n"), "no_cues");
    assert_eq!(code(&vec![b' '; MAX_BYTES + 1]), "too_large");
    assert_eq!(
        code("00:01.000 --> 00:02.000\nx\n\n".repeat(MAX_CUES + 1).as_bytes()),
        "too_many_cues"
    );
}

#[test]
fn a_cue_that_is_too_long_is_left_out() {
    let text = format!(
        "00:01.000 --> 00:02.000\n{}\n\n00:03.000 --> 00:04.000\nb\n",
        "长".repeat(MAX_CUE_BYTES / 3 + 1)
    );
    let captions = parse(text.as_bytes(), "").unwrap();
    assert_eq!((captions.cues.len(), captions.dropped), (1, 1));
}

#[test]
fn the_name_says_the_language() {
    let guess = |name: &str| parse(b"00:01.000 --> 00:02.000\nxyz\n", name).unwrap().language_guess;
    for (name, language) in [
        ("talk.zh.srt", Some("zh")),
        ("talk.chs.srt", Some("zh-Hans")),
        ("第一讲_cht.ass", Some("zh-Hant")),
        ("talk.zh-Hant.vtt", Some("zh-Hant")),
        ("sintel-de.vtt", Some("de")),
        ("film.eng.srt", Some("en")),
        ("film.pt-BR.srt", Some("pt")),
        ("it.srt", None),
        ("talk.srt", None),
        ("talk.final.srt", None),
    ] {
        assert_eq!(guess(name).as_deref(), language, "{name}");
    }
}

#[test]
fn shared_chinese_files() {
    let Some(truth) = shared("derived/zh.srt") else { return };
    let truth = parse(&std::fs::read(truth).unwrap(), "zh.srt").unwrap().cues;
    assert!(truth.len() > 1);
    for name in ["derived/zh-gb18030.srt", "derived/zh-utf16le-bom.srt"] {
        let captions = parse(&std::fs::read(shared(name).unwrap()).unwrap(), "x.srt").unwrap();
        assert_eq!(captions.cues, truth, "{name}");
    }
    let big5 =
        parse(&std::fs::read(shared("derived/zh-big5.srt").unwrap()).unwrap(), "x.srt").unwrap();
    assert_eq!(big5.language_guess.as_deref(), Some("zh-Hant"), "{big5:?}");
}

#[test]
fn every_shared_file_is_read_or_refused_with_a_reason() {
    let folders = [
        "captions",
        "captions/ssa",
        "captions/subrip",
        "captions/webvtt",
        "derived",
        "lecture",
        "video",
    ];
    let files = folders
        .iter()
        .filter_map(|folder| shared(folder))
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    for file in files.map(|entry| entry.unwrap().path()) {
        let Some("srt" | "vtt" | "ass") = file.extension().and_then(|kind| kind.to_str()) else {
            continue;
        };
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).unwrap();
        match parse(&bytes, &name) {
            Ok(captions) => {
                let again = parse(to_webvtt(&captions).as_bytes(), &name).unwrap();
                assert_eq!(again.cues, captions.cues, "{name}");
            }
            Err(error) => {
                // The time stamps of one are of a stream that runs for eleven days.
                let hopeless = [
                    "typical_dialogue",
                    "with_x-timestamp-map_header",
                    "empty",
                    "typical_format",
                    "typical_header",
                    "style",
                    "invalid_timecodes",
                ];
                assert!(hopeless.iter().any(|part| name.contains(part)), "{name}: {error}");
            }
        }
    }
}

#[test]
fn shared_edge_cases() {
    let count = |name: &str| {
        let path = shared(&format!("captions/{name}"))?;
        let captions = parse(&std::fs::read(path).unwrap(), name).unwrap();
        Some((captions.cues.len(), captions.dropped))
    };
    for (name, expected) in [
        ("subrip/typical.srt", (3, 0)),
        ("subrip/typical_bad_timestamps.srt", (1, 2)),
        ("subrip/typical_extra_blank_line.srt", (3, 0)),
        ("subrip/typical_missing_sequence.srt", (3, 0)),
        ("subrip/typical_missing_timecode.srt", (2, 2)),
        ("subrip/typical_negative_timestamps.srt", (1, 2)),
        ("subrip/typical_no_hours_and_millis.srt", (3, 0)),
        ("subrip/typical_unexpected_end.srt", (2, 0)),
        ("subrip/typical_utf16be.srt", (3, 0)),
        ("subrip/typical_utf16le.srt", (3, 0)),
        ("webvtt/typical.vtt", (2, 0)),
        ("webvtt/with_bad_cue_header.vtt", (2, 1)),
        ("ssa/typical.ass", (3, 0)),
        ("ssa/typical_utf16le.ass", (3, 0)),
    ] {
        let Some(seen) = count(name) else { return };
        assert_eq!(seen, expected, "{name}");
    }
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,2}(:[0-9]{2}){1,2}[.,][0-9]{3} --> [0-9]{2}:[0-5][0-9]:[0-5][0-9][.,][0-9]{3}( line:[0-9]%?| align:start|x)?",
        Just("00:00:01.000 --> 00:00:09,000".to_owned()),
        "Dialogue: 0,0:00:0[0-9].00,0:00:1[0-9].00,,,,,,,\\PC*",
        "(</?(i|b|u|ruby|rt|v x|c)>|&(amp|lt|gt|nbsp|#10|#x2028);|<|>|&|\\{\\\\(i1|p1|r)\\}|\\\\N|[a-c学习 ]|\\PC){0,12}",
        Just(String::new()),
        "[0-9]{1,3}",
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(head in "(WEBVTT|\\[Events\\]|1)?", lines in prop::collection::vec(line(), 0..24)) {
        let text = format!("{head}\n{}", lines.join("\n"));
        if let Ok(captions) = parse(text.as_bytes(), "") {
            let again = parse(to_webvtt(&captions).as_bytes(), "").unwrap();
            prop_assert_eq!(again.cues, captions.cues);
            prop_assert_eq!(again.dropped, 0);
        }
    }

    #[test]
    fn any_bytes_are_taken_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, "x");
        let _ = parse(&[b"1\n00:00:01,000 --> 00:00:02,000\n", &bytes[..]].concat(), "x");
    }

    #[test]
    fn clean_text_stays_as_it_is(text in "(</?(i|b|u|ruby|rt)>|&amp;|&lt;|<|>|&|\n| |[a-c]|\\PC){0,30}") {
        let clean = markup::clean(&text);
        prop_assert_eq!(markup::clean(&clean), clean);
    }
}
