//! HLS over MPEG-TS, for set-top boxes that know nothing else: version 3, no fMP4.
//!
//! The address of a playlist names the picture and the sound that are muxed: segments are kept
//! for ever by their addresses, and which sound goes with a picture may change while others are
//! still being made.

use std::fmt::Write as _;

use super::{groups_of, size_fields, sound_group_for, target_s};
use crate::catalogue::{Rendition, TrackKind};
use crate::deliver::{Delivery, Span};

/// Bits of a packet.
const PACKET: f64 = 188.0 * 8.0;

/// What headers of packets add: 188 bytes for each 184.
const HEADERS: f64 = 188.0 / 184.0;

/// Bits of a frame's or PES packet's own headers, and of half a packet that is filled up.
const FRAME: f64 = 30.0 * 8.0 + PACKET / 2.0;

/// Packets of a segment that are there for its continuity counters: the tables, 16 times each, and
/// at most 15 for a stream.
const TABLES: f64 = 32.0;
const SPREAD: f64 = 15.0;

/// Clocks a second.
const CLOCKS: f64 = 12.5;

/// The multivariant playlist: each H.264 picture with the sound that suits it, or the sound alone.
/// Nobody is told of more than one sound: in a transport stream it is part of the variant.
#[must_use]
pub fn transport_playlist(delivery: &Delivery) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:3\n");
    let groups = groups_of(delivery);
    let basic = |kind| delivery.of_kind(kind).filter(|rendition| rendition.is_basic());
    let pictures: Vec<&Rendition> = basic(TrackKind::Video).collect();
    for picture in &pictures {
        let group = sound_group_for(&groups, &pictures, picture);
        let sound = group.and_then(|group| group.selected());
        variant(&mut text, Some(picture), sound);
    }
    if pictures.is_empty() {
        // The best first, as with pictures.
        for group in &groups {
            variant(&mut text, None, group.selected());
        }
    }
    text
}

fn variant(text: &mut String, picture: Option<&Rendition>, sound: Option<&Rendition>) {
    let both = || picture.into_iter().chain(sound);
    let (mut peak, mut average) = (0.0, 0.0);
    for (number, rendition) in both().enumerate() {
        let muxed = muxed_bps(rendition, number == 0);
        peak += muxed.0;
        average += muxed.1;
    }
    let codecs: Vec<&str> = both().filter_map(|rendition| rendition.codecs.as_deref()).collect();
    let _ = write!(
        text,
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"",
        peak.ceil().max(1.0),
        average.ceil().max(1.0),
        codecs.join(",")
    );
    if let Some(picture) = picture {
        size_fields(text, picture);
    }
    let ids: Vec<String> = both().map(|rendition| rendition.id.to_string()).collect();
    let _ = writeln!(text, "\nts/{}.m3u8", ids.join("/"));
}

/// Peak and average bits a second as MPEG-TS, rather a little too much: `BANDWIDTH` must not be
/// less than any segment takes (RFC 8216 section 4.3.4.2). Tables and clocks go with the one that
/// leads.
fn muxed_bps(rendition: &Rendition, leads: bool) -> (f64, f64) {
    let (frames, clocks) = match rendition.kind {
        TrackKind::Video => {
            let frames = rendition.frame_rate.unwrap_or(25.0);
            (frames, (CLOCKS - frames).max(0.0))
        }
        // Three at least are sent together.
        TrackKind::Audio => (rendition.sample_rate.unwrap_or(48_000) as f64 / 1024.0 / 3.0, 0.0),
    };
    let own = if leads { TABLES + SPREAD } else { SPREAD };
    let bits = |length: u64, seconds: f64| {
        let media = length as f64 * 8.0 + frames * seconds * FRAME;
        media * HEADERS + (own + clocks * seconds) * PACKET
    };
    let (mut peak, mut sum, mut total) = (0.0_f64, 0.0, 0.0);
    for (_, segment) in rendition.segments() {
        let seconds = rendition.seconds(segment.duration);
        let bits = bits(segment.length, seconds);
        peak = peak.max(bits / seconds.max(1.0));
        sum += bits;
        total += seconds;
    }
    (peak, sum / total.max(1.0))
}

/// The media playlist of a picture with sound, or of one of them. It grows while parts are to come,
/// as those of fMP4 do, with a segment when its bytes are certain.
#[must_use]
pub fn transport_media_playlist(
    delivery: &Delivery,
    picture: Option<&Rendition>,
    sound: Option<&Rendition>,
) -> String {
    let Some(leading) = picture.or(sound) else { return String::new() };
    let growing = [picture, sound].into_iter().flatten().any(Rendition::is_growing);
    let whole = !growing && delivery.is_complete();
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{}\n{}",
        target_s(leading),
        if whole { "VOD" } else { "EVENT" },
        if whole { "" } else { "#EXT-X-START:TIME-OFFSET=0\n" },
    );
    // Relative to the playlist, whose name is that of the last rendition in its address.
    let folder = sound.unwrap_or(leading).id;
    let segments = leading.segments().take(Span::count(picture, sound)).enumerate();
    for (number, (_, segment)) in segments {
        let seconds = leading.seconds(segment.duration);
        let _ = writeln!(text, "#EXTINF:{seconds:.6},\n{folder}/{number}.ts");
    }
    if whole {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::RenditionState;
    use crate::deliver::Download;
    use crate::deliver::tests::{delivery, lines, sound, video};

    fn names(playlist: &str) -> Vec<&str> {
        let names = playlist.lines().filter(|line| line.ends_with(".ts"));
        names.filter_map(|line| line.split_once('/')).map(|(_, name)| name).collect()
    }

    #[test]
    fn each_picture_has_the_sound_that_suits_it() {
        let mut all: Vec<_> = [1080, 360].map(|height| video(height * 16 / 9, height)).into();
        all.extend(sound(2));
        all.extend(sound(1));
        let hevc = crate::catalogue::Rendition { name: "720p-hevc".to_owned(), ..video(1280, 720) };
        all.push(hevc);
        let text = transport_playlist(&delivery(all.clone(), Vec::new()));
        let [best, small] = [all[4].id, all[5].id];
        let expected =
            [format!("ts/{}/{best}.m3u8", all[0].id), format!("ts/{}/{small}.m3u8", all[1].id)];
        let named: Vec<&str> = text.lines().filter(|line| line.starts_with("ts/")).collect();
        assert_eq!(named, expected, "the selected track, no other codec: {text}");
        assert_eq!(lines(&text, "#EXT-X-STREAM-INF").len(), 2);
        let alone = transport_playlist(&delivery(sound(1).into(), Vec::new()));
        assert_eq!(lines(&alone, "ts/").len(), 2, "{alone}");
        assert!(!alone.contains("RESOLUTION"), "{alone}");
    }

    #[test]
    fn a_segment_is_named_when_its_bytes_are_certain() {
        let making = |rendition: &Rendition, segments: usize| {
            let mut rendition = rendition.clone();
            rendition.state = RenditionState::Making;
            rendition.parts[0].segments.truncate(segments);
            rendition
        };
        let (picture, [voice, _]) = (video(1280, 720), sound(1));
        let listed = |picture: &Rendition, voice: &Rendition| {
            let both = delivery(vec![picture.clone(), voice.clone()], Vec::new());
            let text = transport_media_playlist(&both, Some(picture), Some(voice));
            let whole = text.contains("PLAYLIST-TYPE:VOD\n");
            assert_eq!(whole, text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
            assert!(text.contains("#EXT-X-VERSION:3\n") && !text.contains("MAP"), "{text}");
            (whole, names(&text).len())
        };
        assert_eq!(listed(&picture, &voice), (true, 3));
        // The next one says where it ends.
        assert_eq!(listed(&making(&picture, 2), &voice), (false, 1));
        assert_eq!(listed(&making(&picture, 1), &voice), (false, 0));
        // All of its sound is there.
        assert_eq!(listed(&making(&picture, 3), &making(&voice, 1)), (false, 1));
        // Of the last one, nothing can come any more.
        assert_eq!(listed(&picture, &making(&voice, 3)), (false, 2));
        let alone = delivery(vec![making(&voice, 2)], Vec::new());
        let text = transport_media_playlist(&alone, None, alone.renditions.first());
        assert_eq!(names(&text), ["0.ts"], "{text}");
    }

    #[test]
    fn what_is_still_made_is_not_taken_away() {
        let mut all = vec![video(1280, 720), video(640, 360)];
        all[1].parts[0].key = "another".to_owned();
        all.extend(sound(1));
        let whole = delivery(all.clone(), Vec::new());
        let file = Download::of(&whole, &whole.renditions[0]).expect("complete");
        assert_eq!((file.label().as_str(), file.about_bytes()), ("720p", 600_000));
        let other = Download::of(&whole, &whole.renditions[1]).expect("complete");
        assert_ne!(file.tag(), other.tag());
        for at in 0..2 {
            let mut all = all.clone();
            // The picture, or its sound.
            all[2 * at].state = RenditionState::Making;
            let growing = delivery(all, Vec::new());
            let file = Download::of(&growing, &growing.renditions[0]);
            assert_eq!(file.is_some(), at == 1, "then the other sound goes with it");
        }
        let mut all = all.clone();
        all[2].state = RenditionState::Making;
        all[3].state = RenditionState::Making;
        let silent = delivery(all, Vec::new());
        assert!(Download::of(&silent, &silent.renditions[0]).is_none());
    }
}
