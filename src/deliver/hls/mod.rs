//! HLS playlists (RFC 8216 and draft-pantos-hls-rfc8216bis), rendered from rows.

mod audio;
mod iframes;
mod transport;

use std::fmt::Write as _;

pub use audio::audio_playlist;
pub use iframes::iframe_playlist;
pub use transport::{transport_media_playlist, transport_playlist};

use super::Delivery;
use crate::catalogue::{AudioRole, LANGUAGES, Part, Rendition, Segment, TrackKind, label_of};

/// Widest picture, in pixels of its short side, that goes with the small sound, unless it is the
/// best there is.
const SMALL_SOUND_UP_TO: i64 = 360;

/// Bits a second that nearly every line carries.
const THIN_BPS: f64 = 1_200_000.0;

/// Seconds of a segment as planned; some players wait for a multiple of it.
const SEGMENT_S: f64 = 6.0;

/// The most seconds of a copied segment: as planned, and on to the next key frame of the source,
/// which is copied only if those are at most 6.1 seconds apart.
const COPIED_SEGMENT_S: f64 = 12.0;

/// What captions for people who are hard of hearing say of themselves.
const HEARD: &str = ",CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound\"";

/// What sound that tells what is seen says of itself.
const TOLD: &str = ",CHARACTERISTICS=\"public.accessibility.describes-video\"";

/// One sound rendition of each track, for the variants that go with it.
struct SoundGroup<'a> {
    id: String,
    members: Vec<&'a Rendition>,
}

impl<'a> SoundGroup<'a> {
    /// What is heard unless another track is chosen.
    fn selected(&self) -> Option<&'a Rendition> {
        let selected = self.members.iter().copied().find(|sound| sound.selected);
        selected.or(self.members.first().copied())
    }
}

/// One sound of each track that goes with `video` in manifests.
pub(super) fn sounds_for<'a>(delivery: &'a Delivery, video: &Rendition) -> Vec<&'a Rendition> {
    let videos: Vec<&Rendition> = delivery.of_kind(TrackKind::Video).collect();
    let groups = groups_of(delivery);
    sound_group_for(&groups, &videos, video).map(|group| group.members.clone()).unwrap_or_default()
}

/// The group that goes with a picture out of `videos`.
fn sound_group_for<'a, 'b>(
    groups: &'b [SoundGroup<'a>],
    videos: &[&Rendition],
    video: &Rendition,
) -> Option<&'b SoundGroup<'a>> {
    let tallest = videos.iter().map(|video| short_side(video)).max().unwrap_or(0);
    let small = short_side(video) <= SMALL_SOUND_UP_TO && short_side(video) < tallest;
    if small { groups.last() } else { groups.first() }
}

/// The multivariant playlist: every picture with the sound that suits it,
/// every sound track, captions, and pictures for the seek bar. H.264 comes
/// first, what is begun with before all; each codec has a whole ladder, since players choose one codec and
/// stay with it.
#[must_use]
pub fn master_playlist(delivery: &Delivery) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let groups = groups_of(delivery);
    let opus = opus_group(delivery);
    let videos: Vec<&Rendition> = delivery.of_kind(TrackKind::Video).collect();
    let group_for = |video: &Rendition| sound_group_for(&groups, &videos, video);
    let captions = !delivery.captions.is_empty();
    for group in &groups {
        // Without a picture the variants are the sound itself.
        let named = match videos.as_slice() {
            [] => group.members.len() > 1,
            videos => videos.iter().any(|video| group_for(video).is_some_and(|g| g.id == group.id)),
        };
        if named {
            group_lines(&mut text, delivery, group, group.selected().filter(|_| videos.is_empty()));
        }
    }
    if let Some(group) = opus.as_ref().filter(|g| !videos.is_empty() || g.members.len() > 1) {
        group_lines(&mut text, delivery, group, group.selected().filter(|_| videos.is_empty()));
    }
    for (number, caption) in delivery.captions.iter().enumerate() {
        let word = caption.word(true);
        let before = delivery.captions[..number].iter().filter(|c| c.word(true) == word).count();
        let name = match before {
            0 => word,
            before => format!("{word} {}", before + 1),
        };
        let _ = writeln!(
            text,
            "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"captions\",NAME={},LANGUAGE={},DEFAULT=NO,AUTOSELECT=YES,FORCED={}{},URI=\"captions/{}.m3u8\"",
            quoted(&name),
            quoted(&caption.language),
            if caption.forced { "YES" } else { "NO" },
            if caption.hearing_impaired { HEARD } else { "" },
            caption.name,
        );
    }
    let first = begin_with(&videos);
    let others = videos.iter().filter(|video| Some(video.id) != first.map(|first| first.id));
    for video in first.iter().chain(others) {
        variant_line(&mut text, Some(video), group_for(video), captions);
    }
    // Opus goes with the codec that was made last: who plays the one mostly plays the other.
    let newest = videos.last().map_or("", |video| video.family());
    for video in videos.iter().filter(|video| opus.is_some() && video.family() == newest) {
        variant_line(&mut text, Some(video), opus.as_ref(), captions);
    }
    if videos.is_empty() {
        let all = groups.iter().chain(&opus);
        all.for_each(|group| variant_line(&mut text, None, Some(group), captions));
    }
    videos.iter().for_each(|video| iframes::stream_line(&mut text, video));
    if let Some(sprite) = delivery.resource.derived.storyboard.first() {
        let _ = writeln!(
            text,
            "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=20000,CODECS=\"jpeg\",RESOLUTION={}x{},URI=\"storyboard.m3u8\"",
            sprite.tile_width, sprite.tile_height
        );
    }
    text
}

/// What players that cannot know their line yet begin with: they take the first variant (hls.js to
/// measure the line by it, which takes 44 s at 0.6 Mbit/s when it is 720p). The best rung that a thin
/// line carries; without one the smallest.
fn begin_with<'a>(videos: &[&'a Rendition]) -> Option<&'a Rendition> {
    let basic = || videos.iter().copied().filter(|video| video.is_basic());
    let carried = basic().filter(|video| peak_bps(video) <= THIN_BPS);
    let smallest = || basic().min_by(|a, b| peak_bps(a).total_cmp(&peak_bps(b)));
    carried.max_by(|a, b| peak_bps(a).total_cmp(&peak_bps(b))).or_else(smallest)
}

/// A media playlist. While parts are still to come it is of type EVENT, which
/// players would begin at its end; sound that is whole waits for the picture,
/// since players follow either all playlists or none.
#[must_use]
pub fn media_playlist(delivery: &Delivery, rendition: &Rendition) -> String {
    playlist(delivery, rendition, "init.mp4", |text, number, _, _| {
        let _ = writeln!(text, "{number}.m4s");
    })
}

/// The same with another address of the init segment, and what `named` writes of each segment: its
/// number, and where it is.
pub(super) fn playlist(
    delivery: &Delivery,
    rendition: &Rendition,
    init: &str,
    named: impl Fn(&mut String, usize, &Part, &Segment),
) -> String {
    let whole = !rendition.is_growing() && delivery.is_complete();
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{}\n#EXT-X-INDEPENDENT-SEGMENTS\n{}#EXT-X-MAP:URI=\"{init}\"\n",
        target_s(rendition),
        if whole { "VOD" } else { "EVENT" },
        if whole { "" } else { "#EXT-X-START:TIME-OFFSET=0\n" },
    );
    for (number, (part, segment)) in rendition.segments().enumerate() {
        let _ = writeln!(text, "#EXTINF:{:.6},", rendition.seconds(segment.duration));
        named(&mut text, number, part, segment);
    }
    if whole {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

/// The target duration must stay the same while a playlist grows (RFC 8216 section 6.2.1): it is
/// that of the longest segment that may come. (Only the very last can be longer, where the
/// picture ends before the sound.)
fn target_s(rendition: &Rendition) -> f64 {
    let copied = rendition.kind == TrackKind::Video && rendition.name.ends_with("-copy");
    let planned = if copied { COPIED_SEGMENT_S } else { SEGMENT_S };
    let seconds = rendition.segments().map(|(_, s)| rendition.seconds(s.duration).round());
    seconds.fold(planned, f64::max)
}

/// A playlist of captions: one WebVTT file over the whole length.
#[must_use]
pub fn captions_playlist(delivery: &Delivery, name: &str) -> String {
    let seconds = delivery.resource.duration_ms.unwrap_or(1).max(1) as f64 / 1000.0;
    format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:{seconds:.3},\n{name}.vtt\n#EXT-X-ENDLIST\n",
        seconds.ceil()
    )
}

/// A playlist of the sprites (Roku's and Apple's image media playlists, version 0.4).
#[must_use]
pub fn storyboard_playlist(delivery: &Delivery) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-PLAYLIST-TYPE:VOD\n");
    let sprites = &delivery.resource.derived.storyboard;
    let seconds = |count: u32, interval_ms: i64| f64::from(count) * interval_ms as f64 / 1000.0;
    let longest = sprites.iter().map(|s| seconds(s.count, s.interval_ms)).fold(1.0, f64::max);
    let _ = writeln!(
        text,
        "#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-IMAGES-ONLY",
        longest.ceil()
    );
    for (number, sprite) in sprites.iter().enumerate() {
        let _ = writeln!(
            text,
            "#EXTINF:{:.3},\n#EXT-X-TILES:RESOLUTION={}x{},LAYOUT={}x{},DURATION={:.3}\nstoryboard/{number}.jpg",
            seconds(sprite.count, sprite.interval_ms),
            sprite.tile_width,
            sprite.tile_height,
            sprite.columns,
            sprite.count.div_ceil(sprite.columns.max(1)),
            sprite.interval_ms as f64 / 1000.0,
        );
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// Each track as Opus, where it is.
fn opus_group(delivery: &Delivery) -> Option<SoundGroup<'_>> {
    let sounds = delivery.of_kind(TrackKind::Audio).filter(|sound| !sound.is_basic());
    let members: Vec<&Rendition> = sounds.collect();
    (!members.is_empty()).then_some(SoundGroup { id: "sound-opus".to_owned(), members })
}

/// The best AAC of each track, and the smallest of each where there is more than one.
fn groups_of(delivery: &Delivery) -> Vec<SoundGroup<'_>> {
    let tracks = tracks_of(delivery);
    if tracks.is_empty() {
        return Vec::new();
    }
    let best = tracks.iter().filter_map(|sounds| sounds.last().copied()).collect();
    let mut groups = vec![SoundGroup { id: "sound".to_owned(), members: best }];
    if tracks.iter().any(|sounds| sounds.len() > 1) {
        let smallest = tracks.iter().filter_map(|sounds| sounds.first().copied()).collect();
        groups.push(SoundGroup { id: "sound-small".to_owned(), members: smallest });
    }
    groups
}

/// The AAC of each track, that of the fewest bits first.
fn tracks_of(delivery: &Delivery) -> Vec<Vec<&Rendition>> {
    let mut tracks: Vec<Vec<&Rendition>> = Vec::new();
    for sound in delivery.of_kind(TrackKind::Audio).filter(|sound| sound.is_basic()) {
        match tracks.iter_mut().find(|sounds| sounds[0].track == sound.track) {
            Some(sounds) => sounds.push(sound),
            None => tracks.push(vec![sound]),
        }
    }
    tracks.iter_mut().for_each(|sounds| sounds.sort_by_key(|sound| sound.bitrate_bps));
    tracks
}

pub(super) fn short_side(video: &Rendition) -> i64 {
    video.width.min(video.height).unwrap_or(0)
}

/// A track of a group. What the variants carry themselves has no address here (RFC 8216 section
/// 4.3.4.2.1): hls.js looks for a picture in a variant whose sound is elsewhere.
fn sound_line(
    text: &mut String,
    delivery: &Delivery,
    group: &SoundGroup<'_>,
    sound: &Rendition,
    carried: bool,
) {
    let language = sound.language.as_deref();
    let role = sound.role.zh();
    let name = match language {
        _ if !sound.label.is_empty() => sound.label.clone(),
        Some(language) if role.is_empty() => label_of(LANGUAGES, language, true).to_owned(),
        Some(language) => format!("{}（{role}）", label_of(LANGUAGES, language, true)),
        None if role.is_empty() => format!("声音 {}", position(delivery, sound)),
        None => role.to_owned(),
    };
    let _ = write!(
        text,
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME={},DEFAULT={},AUTOSELECT={}{}",
        group.id,
        quoted(&unique(delivery, sound, name)),
        if sound.selected { "YES" } else { "NO" },
        if sound.selected || sound.role != AudioRole::Commentary { "YES" } else { "NO" },
        if sound.role == AudioRole::Description { TOLD } else { "" },
    );
    if let Some(language) = language {
        let _ = write!(text, ",LANGUAGE={}", quoted(language));
    }
    if let Some(channels) = sound.channels {
        let _ = write!(text, ",CHANNELS=\"{channels}\"");
    }
    if !carried {
        let _ = write!(text, ",URI=\"{}/playlist.m3u8\"", sound.id);
    }
    text.push('\n');
}

/// The tracks of a group.
fn group_lines(
    text: &mut String,
    delivery: &Delivery,
    group: &SoundGroup<'_>,
    carried: Option<&Rendition>,
) {
    for sound in &group.members {
        let carried = carried.is_some_and(|carried| carried.id == sound.id);
        sound_line(text, delivery, group, sound, carried);
    }
}

/// Names must differ within a group (RFC 8216 section 4.3.4.1).
fn unique(delivery: &Delivery, sound: &Rendition, name: String) -> String {
    let same = |other: &Rendition| {
        let name = |of: &Rendition| (of.label.clone(), of.language.clone(), of.role);
        other.track != sound.track && name(other) == name(sound)
    };
    if delivery.of_kind(TrackKind::Audio).any(same) {
        format!("{name} {}", position(delivery, sound))
    } else {
        name
    }
}

/// Number of a sound's track among the tracks, from 1.
fn position(delivery: &Delivery, sound: &Rendition) -> usize {
    let mut tracks: Vec<i64> =
        delivery.of_kind(TrackKind::Audio).map(|other| other.track).collect();
    tracks.sort_unstable();
    tracks.dedup();
    tracks.iter().position(|track| *track == sound.track).unwrap_or(0) + 1
}

fn variant_line(
    text: &mut String,
    video: Option<&Rendition>,
    group: Option<&SoundGroup<'_>>,
    captions: bool,
) {
    let sounds = group.map(|group| group.members.as_slice()).unwrap_or_default();
    let loudest = |rate: fn(&Rendition) -> f64| sounds.iter().map(|s| rate(s)).fold(0.0, f64::max);
    let peak = video.map_or(0.0, peak_bps) + loudest(peak_bps);
    let average = video.map_or(0.0, average_bps) + loudest(average_bps);
    let codecs: Vec<&str> = video
        .into_iter()
        .chain(sounds.first().copied())
        .filter_map(|rendition| rendition.codecs.as_deref())
        .collect();
    let _ = write!(
        text,
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"",
        peak.ceil().max(1.0),
        average.ceil().max(1.0),
        codecs.join(",")
    );
    if let Some(video) = video {
        size_fields(text, video);
    }
    if let Some(group) = group.filter(|group| video.is_some() || group.members.len() > 1) {
        let _ = write!(text, ",AUDIO=\"{}\"", group.id);
    }
    if captions {
        text.push_str(",SUBTITLES=\"captions\"");
    }
    text.push_str(",CLOSED-CAPTIONS=NONE\n");
    if let Some(rendition) = video.or(group.and_then(SoundGroup::selected)) {
        let _ = writeln!(text, "{}/playlist.m3u8", rendition.id);
    }
}

fn size_fields(text: &mut String, video: &Rendition) {
    if let (Some(width), Some(height)) = (video.width, video.height) {
        let _ = write!(text, ",RESOLUTION={width}x{height}");
        if let Some(frame_rate) = video.frame_rate {
            let _ = write!(text, ",FRAME-RATE={frame_rate:.3}");
        }
    }
}

/// The most bits a second of any segment.
pub(super) fn peak_bps(rendition: &Rendition) -> f64 {
    rendition
        .segments()
        .filter(|(_, segment)| segment.duration > 0)
        .map(|(_, segment)| {
            segment.length as f64 * 8.0 / rendition.seconds(segment.duration).max(1.0)
        })
        .fold(0.0, f64::max)
}

/// Bits a second over all segments.
pub(super) fn average_bps(rendition: &Rendition) -> f64 {
    let (bytes, ticks) = rendition
        .segments()
        .fold((0, 0), |(bytes, ticks), (_, s)| (bytes + s.length, ticks + s.duration));
    bytes as f64 * 8.0 / rendition.seconds(ticks).max(0.001)
}

/// A quoted string may hold no quote and no line end (RFC 8216 section 4.2).
fn quoted(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| {
            if c == '"' {
                '\''
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    format!("\"{plain}\"")
}
