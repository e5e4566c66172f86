//! A rendition as one MP4 file, which is nowhere stored: its head is made of the `moof`s of all
//! parts, and behind it come ranges of the parts.

use std::sync::Arc;

use bytes::Bytes;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use transcode::remux::Fragment;
use transcode::remux::mp4::{Cue, Movie};

use super::hls::{short_side, sounds_for};
use super::parts::{Error, read_all, read_fragment, read_track};
use super::{Delivery, Extent, VirtualFile};
use crate::catalogue::{Caption, Part, Rendition, Segment, Sha256, TrackKind};
use crate::media::captions;
use crate::store::Store;

/// Raised when other bytes are made of the same parts: downloads go on by their tags.
const FORMAT: u32 = 1;

/// Heads of files that were asked for, up to so many bytes: players and download managers ask for
/// one file many times.
#[derive(Debug)]
pub struct Downloads {
    kept: Cache<String, Arc<VirtualFile>>,
    making: Semaphore,
}

/// A rendition to take away: of a picture with all tracks of the sound that suits it and with
/// captions, or a sound alone.
#[derive(Debug)]
pub struct Download<'a> {
    /// The tracks, the picture first.
    tracks: Vec<&'a Rendition>,
    captions: &'a [Caption],
}

impl Downloads {
    /// Keeps heads of at most `max_bytes` together, and makes so many at one time.
    #[must_use]
    pub fn new(max_bytes: u64, making: usize) -> Self {
        let weigh = |_: &String, head: &Arc<VirtualFile>| {
            u32::try_from(head.memory_bytes()).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(max_bytes).weigher(weigh).build();
        Self { kept, making: Semaphore::new(making.max(1)) }
    }

    /// The file of `download`.
    ///
    /// # Errors
    ///
    /// [`Error`] when a part cannot be read.
    pub async fn get(
        &self,
        store: &Store,
        download: &Download<'_>,
    ) -> Result<Arc<VirtualFile>, Error> {
        let tag = download.tag();
        if let Some(kept) = self.kept.get(&tag) {
            return Ok(kept);
        }
        // It is never closed.
        let _turn = self.making.acquire().await.ok();
        // Another connection of the same download manager may have made it meanwhile.
        if let Some(kept) = self.kept.get(&tag) {
            return Ok(kept);
        }
        let made = Arc::new(download.make(store).await?);
        self.kept.insert(tag, Arc::clone(&made));
        Ok(made)
    }
}

impl<'a> Download<'a> {
    /// Of `rendition`; `None` before it and the sound that goes with it are complete.
    #[must_use]
    pub fn of(delivery: &'a Delivery, rendition: &'a Rendition) -> Option<Self> {
        let mut tracks = vec![rendition];
        let mut captions: &[Caption] = &[];
        if rendition.kind == TrackKind::Video {
            tracks.extend(sounds_for(delivery, rendition));
            captions = &delivery.captions;
        }
        let whole = delivery.is_complete() && tracks.iter().all(|track| track.is_complete());
        whole.then_some(Self { tracks, captions })
    }

    /// Strong entity tag, without its quotes: it names all that the bytes are made of (keys have the
    /// hash of their content in them).
    #[must_use]
    pub fn tag(&self) -> String {
        let mut used = format!("mp4 {FORMAT}");
        for track in &self.tracks {
            let keys = track.init.iter().chain(track.parts.iter().map(|part| &part.key));
            keys.for_each(|key| used.extend([" ", key.as_str()]));
            used.push_str(if track.selected { " selected" } else { " other" });
        }
        for caption in self.captions {
            used.extend([" ", caption.language.as_str(), " ", caption.key.as_str()]);
        }
        Sha256::of(used.as_bytes()).to_string()[..32].to_owned()
    }

    /// What it is called beside the resource's title: the rung, or the bit rate of the sound.
    #[must_use]
    pub fn label(&self) -> String {
        let Some(first) = self.tracks.first() else { return String::new() };
        let codec = match first.family() {
            "hvc1" => " HEVC",
            "av01" => " AV1",
            "opus" => " Opus",
            _ => "",
        };
        match first.kind {
            TrackKind::Video => format!("{}p{codec}", short_side(first)),
            TrackKind::Audio => format!("{} kbit/s{codec}", (first.bitrate_bps + 500) / 1000),
        }
    }

    /// Ending of its name.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        if self.has_picture() { "mp4" } else { "m4a" }
    }

    /// Media type (RFC 4337).
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        if self.has_picture() { "video/mp4" } else { "audio/mp4" }
    }

    fn has_picture(&self) -> bool {
        self.tracks.iter().any(|track| track.kind == TrackKind::Video)
    }

    /// About how many bytes it has, without reading a part: the samples' own, and their fragments'
    /// headers, in whose place the file has tables that are about as long.
    #[must_use]
    pub fn about_bytes(&self) -> u64 {
        let segments = self.tracks.iter().flat_map(|track| track.segments());
        segments.map(|(_, segment)| segment.length).sum()
    }

    /// Reads all fragments' headers, one after the other, and lets others have the thread between.
    async fn make(&self, store: &Store) -> Result<VirtualFile, Error> {
        let mut movie = Movie::default();
        for track in &self.tracks {
            let described = read_track(store, track).await?;
            let enabled = track.kind == TrackKind::Video || self.is_heard(track);
            let key = track.init.as_deref().unwrap_or_default();
            movie.track(&described, enabled).map_err(Error::media(key))?;
        }
        for caption in self.captions {
            let bytes = read_all(store, &caption.key).await?;
            let cues = tokio::task::spawn_blocking(move || cues(&bytes)).await?;
            movie.captions(&cues, &caption.language).map_err(Error::media(&caption.key))?;
        }
        let mut media = Vec::new();
        let order = interleaved(&self.tracks);
        let mut waiting: Vec<Chunk> = Vec::new();
        for (at, (track, part, segment)) in order.iter().enumerate() {
            let fragment = read_fragment(store, part, segment).await?;
            let scale = self.tracks[*track].time_scale;
            waiting.extend(chunks(*track, part, segment, fragment, scale));
            waiting.sort_by_key(Chunk::place);
            // Those that come before all that is still to be read.
            let next = order
                .get(at + 1)
                .map(|(track, _, segment)| millis(segment.start, self.tracks[*track].time_scale));
            let ready = next.map_or(waiting.len(), |next| {
                waiting.partition_point(|chunk| chunk.start_ms < next)
            });
            for chunk in waiting.drain(..ready) {
                movie.chunk(chunk.track, &chunk.fragment);
                let end = chunk.start + chunk.fragment.data_bytes();
                media.push((chunk.key, chunk.start..end));
            }
            tokio::task::consume_budget().await;
        }
        let head = tokio::task::spawn_blocking(move || movie.finish()).await?;
        let mut file = VirtualFile::default();
        file.push(Extent::Memory(Bytes::from(head.bytes)));
        let mut shared: Vec<Arc<str>> = Vec::new();
        for (key, range) in media {
            // Parts of each track come in order: what is looked for is near the end.
            let known = shared.iter().rev().take(self.tracks.len() * 2).find(|k| ***k == *key);
            let key = known.cloned().unwrap_or_else(|| {
                shared.push(Arc::from(key));
                Arc::clone(&shared[shared.len() - 1])
            });
            file.push(Extent::Object(key, range));
        }
        Ok(file)
    }

    /// Whether it is heard unless another track is chosen.
    fn is_heard(&self, sound: &Rendition) -> bool {
        let sounds = || self.tracks.iter().filter(|track| track.kind == TrackKind::Audio);
        let chosen = sounds().find(|track| track.selected).or_else(|| sounds().next());
        chosen.is_some_and(|chosen| chosen.id == sound.id)
    }
}

/// A second of a track: players that read a file from its start need picture and sound of one time
/// near each other. (With chunks as long as segments, GStreamer's queues now and then ran full of the
/// one before the other came, and it stopped.)
struct Chunk<'a> {
    track: usize,
    start_ms: u64,
    key: &'a str,
    /// First byte in the object.
    start: u64,
    fragment: Fragment,
}

impl Chunk<'_> {
    /// By time; at the same time in the order of the tracks.
    fn place(&self) -> (u64, usize) {
        (self.start_ms, self.track)
    }
}

fn chunks<'a>(
    track: usize,
    part: &'a Part,
    segment: &Segment,
    fragment: Fragment,
    time_scale: i64,
) -> impl Iterator<Item = Chunk<'a>> {
    let (key, offset) = (part.key.as_str(), segment.offset);
    fragment.split(time_scale.max(1).unsigned_abs()).into_iter().map(move |fragment| Chunk {
        track,
        start_ms: millis(fragment.samples.first().map_or(0, |sample| sample.decode), time_scale),
        key,
        start: offset + fragment.data_offset,
        fragment,
    })
}

fn millis(ticks: u64, time_scale: i64) -> u64 {
    let millis = u128::from(ticks) * 1000 / u128::from(time_scale.max(1).unsigned_abs());
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// The segments of all tracks by their starts.
fn interleaved<'a>(tracks: &[&'a Rendition]) -> Vec<(usize, &'a Part, &'a Segment)> {
    let segments = |(number, track): (usize, &&'a Rendition)| {
        let track = *track;
        track.segments().map(move |(part, segment)| (number, part, segment))
    };
    let mut all: Vec<_> = tracks.iter().enumerate().flat_map(segments).collect();
    all.sort_by_key(|(number, _, segment)| {
        (millis(segment.start, tracks[*number].time_scale), *number)
    });
    all
}

/// Cues of our own `WebVTT`, as plain text; captions that cannot be read any more are left out.
fn cues(bytes: &[u8]) -> Vec<Cue> {
    let read = captions::parse(bytes, "").unwrap_or_default();
    let plain = |text: &str| {
        let line = |line: &str| {
            captions::plain(&captions::Cue { text: line.into(), ..captions::Cue::default() })
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let cue = |cue: &captions::Cue| Cue {
        start_ms: cue.start_ms,
        end_ms: cue.end_ms,
        text: plain(&cue.text),
    };
    read.cues.iter().map(cue).collect()
}
