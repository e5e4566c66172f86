//! The DASH manifest (ISO/IEC 23009-1), over the same segments as HLS.

use maud::{Markup, html};

use super::Delivery;
use super::hls::peak_bps;
use crate::catalogue::{AudioRole, Caption, Rendition, TrackKind};

/// The MPD. It is static: while parts are still to come it tells what is there.
#[must_use]
pub fn manifest(delivery: &Delivery) -> String {
    let videos: Vec<&Rendition> = delivery.of_kind(TrackKind::Video).collect();
    let sounds: Vec<&Rendition> = delivery.of_kind(TrackKind::Audio).collect();
    let videos = sets(&videos, |video| video.family());
    let sounds = sets(&sounds, |sound| (sound.track, sound.family()));
    let storyboard = &delivery.resource.derived.storyboard;
    let body = html! {
        MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
            type="static" minBufferTime="PT6S" mediaPresentationDuration=(seconds(reach(delivery))) {
            Period id="1" start="PT0S" {
                @for (number, videos) in videos.iter().enumerate() {
                    AdaptationSet id=(1 + number) contentType="video" mimeType="video/mp4"
                        segmentAlignment=(aligned(videos)) startWithSAP="1" {
                        Role schemeIdUri="urn:mpeg:dash:role:2011" value="main" {}
                        @for video in videos { (video_representation(video)) }
                    }
                }
                @for (number, sounds) in sounds.iter().enumerate() { (sound_set(number, sounds)) }
                @for (number, caption) in delivery.captions.iter().enumerate() {
                    AdaptationSet id=(200 + number) contentType="text" mimeType="text/vtt" lang=(caption.language) {
                        Role schemeIdUri="urn:mpeg:dash:role:2011" value=(text_role(caption)) {}
                        Label { (caption.word(true)) }
                        Representation id={ "captions-" (caption.name) } bandwidth="1000" {
                            BaseURL { "captions/" (caption.name) ".vtt" }
                        }
                    }
                }
                @if let Some(sprite) = storyboard.first() {
                    @let rows = sprite.count.div_ceil(sprite.columns.max(1));
                    AdaptationSet id="300" contentType="image" mimeType="image/jpeg" {
                        SegmentTemplate media="storyboard/$Number$.jpg" startNumber="0" timescale="1000"
                            duration=(i64::from(sprite.count) * sprite.interval_ms) {}
                        Representation id="storyboard" bandwidth="20000"
                            width=(sprite.columns * sprite.tile_width) height=(rows * sprite.tile_height) {
                            EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile"
                                value={ (sprite.columns) "x" (rows) } {}
                        }
                    }
                }
            }
        }
    };
    // maud writes what it is given; names of elements and attributes are XML's here.
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", body.into_string())
}

/// Those of one kind together, in the order that kinds first come: players switch within a set, and
/// not between codecs.
fn sets<'a, K: PartialEq>(
    all: &[&'a Rendition],
    kind: impl Fn(&'a Rendition) -> K,
) -> Vec<Vec<&'a Rendition>> {
    let mut sets: Vec<(K, Vec<&Rendition>)> = Vec::new();
    for rendition in all.iter().copied() {
        let own = kind(rendition);
        match sets.iter_mut().find(|(kind, _)| *kind == own) {
            Some((_, set)) => set.push(rendition),
            None => sets.push((own, vec![rendition])),
        }
    }
    sets.into_iter().map(|(_, set)| set).collect()
}

/// Whether all have their segments at the same times; a copied picture has its own.
fn aligned(videos: &[&Rendition]) -> bool {
    let starts = |video: &Rendition| video.segments().map(|(_, s)| s.start).collect::<Vec<_>>();
    videos.windows(2).all(|pair| starts(pair[0]) == starts(pair[1]))
}

fn video_representation(video: &Rendition) -> Markup {
    html! {
        Representation id=(video.id) bandwidth=(bandwidth(video)) codecs=[video.codecs.as_deref()]
            width=[video.width] height=[video.height] frameRate=[video.frame_rate.map(frame_rate)] sar="1:1" {
            (template(video))
        }
    }
}

fn sound_set(number: usize, sounds: &[&Rendition]) -> Markup {
    let Some(first) = sounds.first() else { return Markup::default() };
    html! {
        AdaptationSet id=(100 + number) contentType="audio" mimeType="audio/mp4" segmentAlignment="true"
            startWithSAP="1" lang=[first.language.as_deref()] {
            @if first.role == AudioRole::Description {
                // For people who do not see (ETSI TS 103 285, section 7.1.2).
                Accessibility schemeIdUri="urn:tva:metadata:cs:AudioPurposeCS:2007" value="1" {}
            }
            Role schemeIdUri="urn:mpeg:dash:role:2011" value=(sound_role(first)) {}
            @if !first.label.is_empty() { Label { (first.label) } }
            @for sound in sounds {
                Representation id=(sound.id) bandwidth=(bandwidth(sound)) codecs=[sound.codecs.as_deref()]
                    audioSamplingRate=[sound.sample_rate] {
                    AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
                        value=(sound.channels.unwrap_or(2)) {}
                    (template(sound))
                }
            }
        }
    }
}

/// ISO/IEC 23009-1 table 34.
fn sound_role(sound: &Rendition) -> &'static str {
    match sound.role {
        AudioRole::Dub => "dub",
        AudioRole::Commentary => "commentary",
        AudioRole::Description => "description",
        _ if sound.selected => "main",
        _ => "alternate",
    }
}

/// The same.
fn text_role(caption: &Caption) -> &'static str {
    match (caption.forced, caption.hearing_impaired) {
        (true, _) => "forced-subtitle",
        (_, true) => "caption",
        _ => "subtitle",
    }
}

/// Segments with their exact times (section 5.3.9.6), equal lengths in a row as one line.
fn template(rendition: &Rendition) -> Markup {
    let mut runs: Vec<(u64, u64, u64)> = Vec::new();
    for (_, segment) in rendition.segments() {
        match runs.last_mut() {
            Some((start, duration, repeats))
                if *duration == segment.duration
                    && *start + *duration * (*repeats + 1) == segment.start =>
            {
                *repeats += 1;
            }
            _ => runs.push((segment.start, segment.duration, 0)),
        }
    }
    html! {
        SegmentTemplate timescale=(rendition.time_scale) startNumber="0"
            initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" {
            SegmentTimeline {
                @for (start, duration, repeats) in runs {
                    S t=(start) d=(duration) r=[(repeats > 0).then_some(repeats)] {}
                }
            }
        }
    }
}

fn bandwidth(rendition: &Rendition) -> u64 {
    peak_bps(rendition).ceil().max(1.0) as u64
}

/// Seconds that every rendition reaches; the resource's length when all is there.
fn reach(delivery: &Delivery) -> f64 {
    let end = |rendition: &Rendition| {
        rendition.segments().last().map_or(0.0, |(_, s)| rendition.seconds(s.start + s.duration))
    };
    let ends = delivery.offered().map(end);
    if delivery.is_complete() {
        ends.fold(0.0, f64::max)
    } else {
        ends.fold(f64::INFINITY, f64::min)
    }
}

fn seconds(seconds: f64) -> String {
    format!("PT{:.3}S", if seconds.is_finite() { seconds } else { 0.0 })
}

/// As a fraction, exact for the usual rates (29.97 is 30000/1001).
fn frame_rate(rate: f64) -> String {
    let nearest = rate.round();
    if (rate - nearest).abs() < 1e-3 {
        return format!("{}", nearest.max(1.0));
    }
    let ntsc = (rate * 1.001).round();
    if (rate * 1.001 - ntsc).abs() < 1e-2 {
        return format!("{}/1001", ntsc * 1000.0);
    }
    format!("{}/1000", (rate * 1000.0).round())
}
