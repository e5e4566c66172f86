//! What the media child may say: every answer is held against these bounds before anybody uses
//! it. The child has read a hostile file; nothing that it says is believed.

use transcode::{Chapter, EmbeddedSubtitles, Event, Probe, Segment, Slide, SourceTrack, Stills};

use super::book::{self, Book};
use super::captions::{self, Captions, Cue};
use super::document::{self, Document, PageSize, PageText};
use super::outline::{MAX_DEPTH, MAX_ITEMS};
use super::protocol::{Answer, PageAnswer, Step};
use super::{records, sheet};

const MIB: usize = 1 << 20;

/// Longest side of a picture, pixels: what the encoders and decoders are limited to, rounded up.
const MAX_SIDE: u32 = 8_200;

/// Longest side of a video as the source says it, pixels: odd pixel shapes make it long.
const MAX_SOURCE_SIDE: u32 = 1 << 24;

/// No media time is later: a year, so that no sum of times overflows.
pub(super) const MAX_MS: i64 = 366 * 86_400_000;

/// No time stamp of a source is farther from 0: the reader cuts them at 285 years.
const MAX_CLOCK_MS: u64 = 1 << 45;

/// Fastest time scale and sample rate, a second.
const MAX_RATE: u32 = 1_536_000;

const MAX_CHANNELS: u32 = 64;
const MAX_SEGMENTS: usize = 10_000;
const MAX_CHAPTERS: usize = 10_000;
const MAX_SPRITES: usize = 16;
const MAX_SLIDES: usize = 500;
const MAX_TITLE_BYTES: usize = 8 << 10;
const MAX_PAGE_BYTES: usize = MIB;
const MAX_CHAPTER_BYTES: usize = 9 * MIB;
const MAX_WORDS: usize = 20_000;
const MAX_WORD_BYTES: usize = 4 << 10;

impl Step {
    /// The longest line of an answer, bytes.
    pub(super) fn max_line_bytes(&self) -> usize {
        match self {
            Self::Captions { .. }
            | Self::Derive(_)
            | Self::Convert { .. }
            | Self::Book { .. }
            | Self::Records { .. }
            | Self::Sheet { .. } => 48 * MIB,
            Self::Listen(_) => 8 * MIB,
            Self::Inspect { .. }
            | Self::Pages { .. }
            | Self::RecognisePages(..)
            | Self::RecognisePicture { .. } => 16 * MIB,
            // A day of looks and sound.
            Self::Prints(..) => 16 * MIB,
            Self::Probe(_) => 4 * MIB,
            Self::Copy(_) | Self::EncodePart(..) | Self::EncodeAudio(_) | Self::Slides(_) => {
                2 * MIB
            }
            Self::Picture { .. } | Self::PicturePrints { .. } => MIB,
        }
    }
}

impl Answer {
    /// An answer that is well formed and within bounds.
    ///
    /// # Errors
    ///
    /// What is not.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        if line.last() != Some(&b'\n') {
            return Err("a line that does not end".into());
        }
        let answer: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        answer.check()?;
        Ok(answer)
    }

    /// Whether the answer is within bounds.
    ///
    /// # Errors
    ///
    /// What is not.
    pub(super) fn check(&self) -> Result<(), String> {
        let holds = match self {
            Self::Probe(probe, _) => probe_holds(probe),
            Self::Media(event) => event_holds(event),
            Self::Stills(stills) => stills_hold(stills),
            Self::Slides(slides) => slides_hold(slides),
            Self::Prints(prints) => prints.hold(),
            Self::Subtitles(tracks) => {
                tracks.len() <= MAX_TRACKS && tracks.iter().all(subtitles_hold)
            }
            Self::Converted(notes) => {
                notes.len() <= document::MAX_PAGES as usize
                    && notes.iter().all(|(slide, text)| {
                        (1..=document::MAX_PAGES).contains(slide) && text.len() <= MAX_PAGE_BYTES
                    })
            }
            Self::Chapter(chapter) => {
                is_number(chapter.number)
                    && is_title(&chapter.title)
                    && chapter.passages.iter().map(String::len).sum::<usize>() <= MAX_CHAPTER_BYTES
            }
            Self::Figure(figure) => {
                (figure.number == 0 || is_number(figure.number))
                    && figure.poster.as_ref().is_none_or(|p| is_side(p.width) && is_side(p.height))
            }
            Self::Book(book) => book_holds(book),
            Self::Document(document) => document_holds(document),
            Self::PageText(text) => page_text_holds(text),
            Self::Page(page) => page_holds(page),
            Self::Picture { width, height, poster_width, poster_height } => {
                [*width, *height, *poster_width, *poster_height].into_iter().all(is_side)
            }
            Self::Harvested(answer) => records::holds(answer),
            Self::Sheet(rows) => sheet::hold(rows),
            Self::Captions(captions) => captions_hold(captions),
            Self::Heard(heard) => {
                heard.language.as_deref().is_none_or(is_language)
                    && (1..=MAX_MS).contains(&heard.end_ms)
                    && cues_hold(&heard.cues)
            }
            Self::Working | Self::Done => true,
            Self::Failed(failure) => {
                failure.code.len() <= 64
                    && failure.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            }
        };
        if holds { Ok(()) } else { Err(format!("{self:?}").chars().take(500).collect()) }
    }
}

const MAX_TRACKS: usize = transcode::input::MAX_STREAMS as usize;

fn probe_holds(probe: &Probe) -> bool {
    is_length(probe.duration_ms)
        && is_clock(probe.start_us / 1_000)
        && is_clock(probe.start_ms)
        && probe.bitrate_bps >= 0
        && probe.tracks.len() <= MAX_TRACKS
        && probe.tracks.iter().all(track_holds)
        && probe.chapters.len() <= MAX_CHAPTERS
        && probe.chapters.iter().all(chapter_holds)
}

fn track_holds(track: &SourceTrack) -> bool {
    let video = track.video.as_ref().is_none_or(|video| {
        [video.width, video.height].into_iter().all(|side| (1..=MAX_SOURCE_SIDE).contains(&side))
            && [video.coded_width, video.coded_height].into_iter().all(|side| side <= 1 << 16)
            && [0, 90, 180, 270].contains(&video.rotation)
            && video.sar.den > 0
            && video.frame_rate.den > 0
            && video.max_key_interval_ms.is_none_or(is_length)
    });
    let audio = track.audio.as_ref().is_none_or(|audio| {
        (1..=MAX_CHANNELS).contains(&audio.channels) && (1..=MAX_RATE).contains(&audio.sample_rate)
    });
    track.index < MAX_TRACKS
        && track.language.as_deref().is_none_or(is_language)
        && track.title.as_deref().is_none_or(is_title)
        && track.bitrate_bps.is_none_or(|bitrate| bitrate >= 0)
        && is_clock(track.start_ms)
        && is_length(track.duration_ms)
        && video
        && audio
}

fn chapter_holds(chapter: &Chapter) -> bool {
    0 <= chapter.start_ms
        && chapter.start_ms <= chapter.end_ms
        && is_length(chapter.end_ms)
        && is_title(&chapter.title)
}

fn event_holds(event: &Event) -> bool {
    match event {
        // It goes into playlists as it is (RFC 6381 section 3.3).
        Event::Init {
            codecs,
            width,
            height,
            frame_rate,
            sample_rate,
            channels,
            time_scale,
            ..
        } => {
            (1..=32).contains(&codecs.len())
                && codecs.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
                && [*width, *height].into_iter().all(|side| side <= MAX_SIDE)
                && (0.0..=100_000.0).contains(frame_rate)
                && *sample_rate <= MAX_RATE
                && *channels <= MAX_CHANNELS
                && (1..=MAX_RATE).contains(time_scale)
        }
        Event::Part { segments, peak_bitrate_bps, .. } => {
            segments_hold(segments) && *peak_bitrate_bps >= 0
        }
        Event::Progress(share) => (0.0..=1.0).contains(share),
    }
}

/// Whether the segments follow each other from the part's first byte on, in place and in time.
fn segments_hold(segments: &[Segment]) -> bool {
    let latest = MAX_MS / 1_000 * i64::from(MAX_RATE);
    let sound = |segment: &Segment| {
        segment.length_bytes > 0
            && segment.length_bytes <= 1 << 40
            && (1..=segment.length_bytes).contains(&segment.key_bytes)
            && (0..=latest).contains(&segment.start_ticks)
            && (1..=latest).contains(&segment.duration_ticks)
    };
    let follows = |pair: &[Segment]| {
        pair[0].offset_bytes.checked_add(pair[0].length_bytes) == Some(pair[1].offset_bytes)
            && pair[0].start_ticks < pair[1].start_ticks
    };
    (1..=MAX_SEGMENTS).contains(&segments.len())
        && segments[0].offset_bytes == 0
        && segments.iter().all(sound)
        && segments.windows(2).all(follows)
}

fn stills_hold(stills: &Stills) -> bool {
    stills.posters.len() <= 3
        && stills.posters.iter().all(|poster| {
            is_side(poster.width)
                && is_side(poster.height)
                && (0..=MAX_MS).contains(&poster.time_ms)
        })
        && stills.storyboard.len() <= MAX_SPRITES
        && stills.storyboard.iter().all(|sprite| {
            let counts = [sprite.columns, sprite.rows].into_iter().all(|n| (1..=100).contains(&n));
            counts
                && (1..=sprite.columns * sprite.rows).contains(&sprite.count)
                && is_side(sprite.tile_width)
                && is_side(sprite.tile_height)
                && (0..=MAX_MS).contains(&sprite.first_ms)
                && (1..=MAX_MS).contains(&sprite.interval_ms)
        })
}

/// Whether the slides follow each other in time.
fn slides_hold(slides: &[Slide]) -> bool {
    let sound = |slide: &Slide| {
        is_side(slide.width)
            && is_side(slide.height)
            && 0 <= slide.start_ms
            && slide.start_ms < slide.end_ms
            && slide.end_ms <= MAX_MS
    };
    slides.len() <= MAX_SLIDES
        && slides.iter().all(sound)
        && slides.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms)
}

fn subtitles_hold(track: &EmbeddedSubtitles) -> bool {
    track.language.as_deref().is_none_or(is_language)
        && track.title.as_deref().is_none_or(is_title)
        && track.cues.len() <= captions::MAX_CUES
        && track.cues.iter().all(|cue| {
            0 <= cue.start_ms
                && cue.start_ms < cue.end_ms
                && cue.end_ms <= MAX_MS
                && cue.text.len() <= captions::MAX_CUE_BYTES
        })
}

fn captions_hold(captions: &Captions) -> bool {
    captions.language_guess.as_deref().is_none_or(is_language) && cues_hold(&captions.cues)
}

fn cues_hold(cues: &[Cue]) -> bool {
    cues.len() <= captions::MAX_CUES
        && cues.iter().all(|cue| {
            let settings = cue.settings.as_deref().unwrap_or_default();
            cue.start_ms < cue.end_ms
                && cue.end_ms <= MAX_MS.unsigned_abs()
                && cue.text.len() <= captions::MAX_CUE_BYTES
                // Else it could begin another cue.
                && !cue.text.contains("\n\n")
                && !cue.text.contains("-->")
                && settings.len() <= 1_024
                && !settings.contains(['\n', '\r'])
                && !settings.contains("-->")
        })
}

fn is_number(number: u32) -> bool {
    (1..=book::MAX_CHAPTERS as u32).contains(&number)
}

fn book_holds(book: &Book) -> bool {
    is_number(book.chapters)
        && [&book.title, &book.author].into_iter().all(|text| text.as_deref().is_none_or(is_title))
        && book.language.as_deref().is_none_or(is_language)
        && book.contents.len() <= book::MAX_CONTENTS
        && book.contents.iter().all(|item| {
            (1..=book.chapters).contains(&item.chapter)
                && item.depth <= book::MAX_DEPTH
                && is_title(&item.title)
                && item.anchor.len() <= 256
        })
}

fn document_holds(document: &Document) -> bool {
    (1..=document::MAX_PAGES).contains(&document.pages)
        && document.page_sizes.len() == document.pages as usize
        && document.page_sizes.iter().all(size_holds)
        && document.title.as_deref().is_none_or(is_title)
        && document.author.as_deref().is_none_or(is_title)
        && document.outline.len() <= MAX_ITEMS
        && document.outline.iter().all(|item| {
            (1..=document.pages).contains(&item.page)
                && item.depth <= MAX_DEPTH
                && is_title(&item.title)
        })
}

fn size_holds(size: &PageSize) -> bool {
    [size.width_pt, size.height_pt].into_iter().all(|side| (0.0..=1.0e9).contains(&side))
}

fn page_text_holds(text: &PageText) -> bool {
    (1..=document::MAX_PAGES).contains(&text.page)
        && text.text.len() <= MAX_PAGE_BYTES
        && text.words.len() <= MAX_WORDS
        && text.words.iter().all(|word| {
            [word.x, word.y, word.w, word.h].into_iter().all(|part| (0.0..=1.0).contains(&part))
                && word.text.len() <= MAX_WORD_BYTES
        })
}

fn page_holds(page: &PageAnswer) -> bool {
    (1..=document::MAX_PAGES).contains(&page.page)
        && is_side(page.width)
        && is_side(page.height)
        && page.poster.as_ref().is_none_or(|poster| is_side(poster.width) && is_side(poster.height))
}

fn is_side(pixels: u32) -> bool {
    (1..=MAX_SIDE).contains(&pixels)
}

/// A clock of the source: it may tell the time since 1970.
fn is_clock(ms: i64) -> bool {
    ms.unsigned_abs() <= MAX_CLOCK_MS
}

/// How long a source says that it is, which the plan bounds.
fn is_length(ms: i64) -> bool {
    ms >= 0 && is_clock(ms)
}

fn is_title(text: &str) -> bool {
    text.len() <= MAX_TITLE_BYTES
}

/// A language is part of names and of playlists (BCP 47 section 2.1).
fn is_language(tag: &str) -> bool {
    (1..=64).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn admitted(answer: &Value) -> bool {
        serde_json::from_value::<Answer>(answer.clone()).is_ok_and(|answer| answer.check().is_ok())
    }

    fn part(segments: &[[i64; 4]]) -> Value {
        let segments: Vec<Value> = segments
            .iter()
            .map(|[offset, length, start, duration]| {
                json!({ "offset_bytes": offset, "length_bytes": length, "key_bytes": 1,
                        "start_ticks": start, "duration_ticks": duration })
            })
            .collect();
        json!({ "media": { "part": { "rendition": "720p", "index": 0, "file": "a.m4s",
                "segments": segments, "peak_bitrate_bps": 1 } } })
    }

    /// An answer of each kind, as a child that is well gives it.
    fn honest() -> Vec<Value> {
        let track = json!({
            "index": 0, "kind": "video", "codec": "h264", "profile": "High", "language": "zh-Hans",
            "title": "t", "default": true, "forced": false, "hearing_impaired": false,
            "decodable": true, "bitrate_bps": 1_000_000, "text_subtitle": false, "start_ms": 0,
            "duration_ms": 60_000,
            "video": {
                "width": 1920, "height": 1080, "coded_width": 1920, "coded_height": 1088,
                "rotation": 90, "mirrored": false, "sar": { "num": 1, "den": 1 },
                "frame_rate": { "num": 25, "den": 1 }, "variable_frame_rate": false,
                "interlaced": false, "pixel_format": "yuv420p", "bit_depth": 8, "hdr": "none",
                "colour": { "primaries": 1, "transfer": 1, "matrix": 1, "full_range": false },
                "has_b_frames": true, "max_key_interval_ms": 2_000, "closed_gops": true,
                "hidden_frames": false, "reliable_times": true,
            },
            "audio": { "channels": 2, "sample_rate": 48_000, "layout": "stereo", "regular": true },
        });
        vec![
            json!({ "probe": [{ "container": "mov", "duration_ms": 60_000, "start_ms": 0,
                "start_us": 0, "bitrate_bps": 1, "title": null, "tracks": [track],
                "chapters": [{ "start_ms": 0, "end_ms": 1, "title": "c" }] }, true] }),
            json!({ "media": { "init": { "rendition": "720p", "file": "a.mp4",
                "codecs": "avc1.64001F", "width": 1280, "height": 720, "frame_rate": 25.0,
                "sample_rate": 0, "channels": 0, "time_scale": 90_000 } } }),
            part(&[[0, 10, 0, 540_000], [10, 5, 540_000, 1]]),
            json!({ "media": { "progress": 0.5 } }),
            json!({ "stills": { "posters": [{ "file": "p.jpg", "time_ms": 1, "width": 960,
                "height": 540 }], "storyboard": [{ "file": "s.jpg", "first_ms": 0, "columns": 10,
                "rows": 10, "tile_width": 160, "tile_height": 90, "interval_ms": 2_000,
                "count": 30 }] } }),
            json!({ "slides": [{ "file": "s.webp", "start_ms": 0, "end_ms": 9, "width": 1280,
                "height": 720 }, { "file": "t.webp", "start_ms": 9, "end_ms": 20, "width": 1280,
                "height": 720 }] }),
            json!({ "prints": { "looks": "", "image": "", "sound": "AAAAAA" } }),
            json!({ "subtitles": [{ "track": 2, "language": "en", "title": null, "forced": false,
                "hearing_impaired": false,
                "cues": [{ "start_ms": 0, "end_ms": 1, "text": "x" }] }] }),
            json!({ "converted": [[1, "n"]] }),
            json!({ "chapter": { "number": 1, "title": "c", "file": "c.html", "passages": ["p"] } }),
            json!({ "figure": { "number": 1, "file": "f.webp", "poster": { "file": "p.jpg",
                "width": 9, "height": 9 } } }),
            json!({ "book": { "title": "t", "author": null, "language": "zh-Hans",
                "right_to_left": false, "chapters": 1, "contents": [{ "title": "c", "chapter": 1,
                "anchor": "a", "depth": 0 }] } }),
            json!({ "document": { "pages": 1, "title": "t", "author": null, "restricted": false,
                "page_sizes": [{ "width_pt": 595.0, "height_pt": 842.0 }],
                "outline": [{ "title": "o", "page": 1, "depth": 0 }] } }),
            json!({ "page_text": { "page": 1, "text": "t", "words": [{ "x": 0.1, "y": 0.1,
                "w": 0.1, "h": 0.1, "text": "t" }] } }),
            json!({ "page": { "page": 1, "blank": false, "width": 1600, "height": 2263, "large": "l.webp",
                "small": "s.webp", "poster": { "file": "p.jpg", "width": 9, "height": 9 } } }),
            json!({ "picture": { "width": 1, "height": 1, "poster_width": 1,
                "poster_height": 1 } }),
            json!({ "captions": { "cues": [{ "start_ms": 0, "end_ms": 1, "text": "x",
                "settings": null }], "language_guess": "zh", "dropped": 0 } }),
            json!({ "heard": { "language": "zh", "end_ms": 300_000, "cues": [{ "start_ms": 0,
                "end_ms": 1, "text": "x", "settings": null }] } }),
            json!({ "failed": { "code": "media_damaged", "info": "x", "transient": false } }),
        ]
    }

    /// Every place in `value` where a number or a text stands, as a pointer.
    fn places(value: &Value, at: &str, into: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), into));
            }
            Value::Array(list) => {
                let numbered = list.iter().enumerate();
                numbered.for_each(|(n, value)| places(value, &format!("{at}/{n}"), into));
            }
            _ => into.push(at.to_owned()),
        }
    }

    #[test]
    fn what_a_child_that_is_well_says_is_admitted() {
        for answer in honest() {
            assert!(admitted(&answer), "{answer:#}");
        }
    }

    #[test]
    fn segments_that_overlap_or_are_nowhere_are_refused() {
        let max = i64::MAX;
        for segments in [
            &[][..],
            &[[1, 10, 0, 1]],
            &[[0, 0, 0, 1]],
            &[[0, 10, -1, 1]],
            &[[0, 10, 0, 0]],
            &[[0, 10, 0, -1]],
            &[[0, 10, max, 1]],
            &[[0, max, 0, 1]],
            &[[0, 10, 0, 1], [9, 1, 1, 1]],
            &[[0, 10, 0, 1], [11, 1, 1, 1]],
            &[[0, 10, 5, 1], [10, 1, 5, 1]],
        ] {
            assert!(!admitted(&part(segments)), "{segments:?}");
        }
        for key_bytes in [0, 11, u64::MAX] {
            let mut answer = part(&[[0, 10, 0, 1]]);
            answer["media"]["part"]["segments"][0]["key_bytes"] = key_bytes.into();
            assert!(!admitted(&answer), "{key_bytes}");
        }
    }

    #[test]
    fn no_answer_has_a_number_below_or_beyond_all_measure() {
        // Times before media time 0, which a source may have, and what is only told.
        let free = [
            "start_us",
            "start_ms",
            "bitrate_bps",
            "dropped",
            "transient",
            "num",
            "peak_bitrate_bps",
            "track",
            "max_key_interval_ms",
            "index",
            "bit_depth",
        ];
        for answer in honest() {
            let mut at = Vec::new();
            places(&answer, "", &mut at);
            for place in at {
                let name = place.rsplit('/').next().expect("a name");
                let mut hostile = answer.clone();
                let value = hostile.pointer_mut(&place).expect("there");
                if !value.is_number() || free.contains(&name) {
                    continue;
                }
                for number in [-1_i64, i64::MIN, i64::MAX] {
                    *hostile.pointer_mut(&place).expect("there") = number.into();
                    assert!(!admitted(&hostile), "{place} = {number}: {hostile:#}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_hostile_answer_makes_anything_panic(
            which in 0..honest().len(),
            places_changed in prop::collection::vec((any::<prop::sample::Index>(), 0..9_usize, any::<i64>()), 1..6),
        ) {
            let mut answer = honest().swap_remove(which);
            let mut at = Vec::new();
            places(&answer, "", &mut at);
            for (place, kind, number) in places_changed {
                let place = place.get(&at);
                let Some(value) = answer.pointer_mut(place) else { continue };
                *value = match kind {
                    0 => number.into(),
                    1 => (number % 1_000_000).into(),
                    2 => 1.0e300.into(),
                    3 => Value::Null,
                    4 => "../../../etc/passwd\0".into(),
                    5 => "x".repeat(100_000).into(),
                    6 => json!([{}]),
                    7 => (number as f64 / 1.0e15).into(),
                    _ => u64::MAX.into(),
                };
            }
            let Ok(answer) = serde_json::from_value::<Answer>(answer) else { return Ok(()) };
            let Ok(()) = answer.check() else { return Ok(()) };
            if let Answer::Media(Event::Part { segments, .. }) = &answer {
                let whole: u64 = segments.iter().map(|segment| segment.length_bytes).sum();
                let last = segments.last().expect("never empty");
                prop_assert_eq!(last.offset_bytes + last.length_bytes, whole);
                prop_assert!(last.start_ticks.checked_add(last.duration_ticks).is_some());
            }
            if let Answer::Probe(probe, _) = &answer {
                // Whatever was said, the plan is made or refused.
                let plan = transcode::plan(probe, &transcode::Policy::default());
                prop_assert!(plan.is_err() || plan.is_ok_and(|plan| plan.parts.len() <= 1_440));
            }
        }
    }
}
