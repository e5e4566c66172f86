//! A segment of MPEG-TS, made of the segments of a picture and of sound while it is sent.
//!
//! Its plan (some tens of kilobytes) is made of the `moof`s alone; then packets are written as the
//! connection takes them, from whichever byte on. So memory is bounded by [`BATCH_BYTES`] and
//! [`WINDOW_BYTES`] for each connection, however long the segment and however large the frames of
//! its neighbours.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};
use transcode::remux::ts::{self, ElementaryStream, TICKS, within};
use transcode::remux::{Sample, Track, TrackMedia};

use super::parts::{Error, read_fragment, read_range, read_track};
use crate::catalogue::{Part, Rendition, Segment, Sha256};
use crate::store::Store;

/// Bytes handed on at a time, at least.
const BATCH_BYTES: usize = 64 * 1024;

/// Bytes that are read of an object at a time.
const WINDOW_BYTES: u64 = 512 * 1024;

/// Raised when other bytes are made of the same parts: segments are kept for ever by their tags.
const FORMAT: u32 = 1;

/// A planned segment, and where its samples are.
#[derive(Debug)]
pub struct Transport {
    store: Store,
    plan: ts::Segment,
    picture: Places,
    sound: Places,
    tag: String,
}

/// Where the samples of one track lie.
#[derive(Debug, Default)]
struct Places {
    objects: Vec<Object>,
    /// Object, first byte, bytes.
    samples: Vec<(usize, u64, u32)>,
}

#[derive(Debug)]
struct Object {
    key: String,
    /// Behind the last byte that is needed.
    end: u64,
}

/// Of which segments a segment of MPEG-TS is made.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The picture; without one, the sound is cut as it is.
    pub picture: Option<&'a Rendition>,
    /// The sound.
    pub sound: Option<&'a Rendition>,
    /// Number of the segment of the picture, or of the sound where there is none.
    pub number: usize,
}

impl<'a> Span<'a> {
    fn leading(&self) -> Option<&'a Rendition> {
        self.picture.or(self.sound)
    }

    /// Its segment, and the part that this is in, if it can be made already: its bytes must not
    /// change any more. So the next segment must be there, whose start ends it, and sound as far as
    /// it reaches; of the last one all must be complete.
    fn segment(&self) -> Option<(&'a Part, &'a Segment, Option<&'a Segment>)> {
        let leading = self.leading()?;
        let mut segments = leading.segments().skip(self.number);
        let (part, segment) = segments.next()?;
        let next = segments.next().map(|(_, segment)| segment);
        let whole = |rendition: Option<&Rendition>| rendition.is_none_or(|r| !r.is_growing());
        let ready = match next {
            None => whole(self.picture) && whole(self.sound),
            Some(_) if whole(self.sound) || self.picture.is_none() => true,
            Some(next) => {
                let end = self.sound.and_then(|sound| Some((sound, sound.segments().last()?.1)));
                end.is_some_and(|(sound, last)| {
                    to_90k(last.start + last.duration, sound.time_scale)
                        >= to_90k(next.start, leading.time_scale)
                })
            }
        };
        ready.then_some((part, segment, next))
    }

    /// Whether it can be made already.
    pub(super) fn is_ready(&self) -> bool {
        self.segment().is_some()
    }

    /// How many segments can be made, from the first on.
    pub(super) fn count(picture: Option<&'a Rendition>, sound: Option<&'a Rendition>) -> usize {
        let leading = picture.or(sound);
        let most = leading.map_or(0, |leading| leading.segments().count());
        // Only those at the end may not be ready yet.
        (0..=most)
            .rev()
            .find(|&count| {
                count == 0 || Span { picture, sound, number: count - 1 }.segment().is_some()
            })
            .unwrap_or(0)
    }
}

fn to_90k(ticks: u64, time_scale: i64) -> u64 {
    let scaled =
        u128::from(ticks) * u128::from(TICKS) / u128::from(time_scale.max(1).unsigned_abs());
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

impl Transport {
    /// Plans a segment; `None` when there is none of this number, or not yet.
    ///
    /// # Errors
    ///
    /// [`Error`] when a part cannot be read, or is not H.264 or AAC.
    pub async fn plan(store: &Store, span: Span<'_>) -> Result<Option<Self>, Error> {
        let (Some((part, segment, next)), Some(leading)) = (span.segment(), span.leading()) else {
            return Ok(None);
        };
        let from = to_90k(segment.start, leading.time_scale);
        let until = next.map(|next| to_90k(next.start, leading.time_scale));
        let end = until.unwrap_or(from + to_90k(segment.duration, leading.time_scale));
        let mut used = format!("ts {FORMAT} {until:?}");
        let mut note = |part: &Part, segment: &Segment| {
            used.push_str(&format!(" {} {}", part.key, segment.offset));
        };
        let (mut pictures, mut sounds) = (Found::default(), Found::default());
        if span.picture.is_some() {
            note(part, segment);
            pictures.take(store, part, segment, |samples| 0..samples.len()).await?;
        }
        if let Some(sound) = span.sound {
            let scale = sound.time_scale;
            // Without a picture its own segments are the cut; else the first and the last segment
            // have what lies before and behind the picture.
            let alone = span.picture.is_none();
            let bounds = match alone {
                true => (None, None),
                false => (Some(from).filter(|_| span.number > 0), until),
            };
            let touches = |segment: &Segment| {
                bounds.0.is_none_or(|from| to_90k(segment.start + segment.duration, scale) >= from)
                    && bounds.1.is_none_or(|until| to_90k(segment.start, scale) < until)
            };
            let own = sound.segments().enumerate().filter(|(number, (_, segment))| {
                if alone { *number == span.number } else { touches(segment) }
            });
            let rate = u32::try_from(scale).unwrap_or(1);
            for (_, (part, segment)) in own {
                note(part, segment);
                let within = |samples: &[Sample]| within(samples, rate, bounds.0, bounds.1);
                sounds.take(store, part, segment, within).await?;
            }
        }
        let tag = Sha256::of(used.as_bytes()).to_string()[..16].to_owned();
        let picture = track(store, span.picture).await?;
        let sound = track(store, span.sound).await?;
        let plan = plan(&picture, &pictures, &sound, &sounds, end);
        let plan = plan.map_err(Error::media(&part.key))?;
        let (picture, sound) = (pictures.places, sounds.places);
        Ok(Some(Self { store: store.clone(), plan, picture, sound, tag }))
    }

    /// Bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.plan.length()
    }

    /// Strong entity tag, without its quotes: it names all that the bytes are made of.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Some of its bytes, written as they are taken. The range must lie within.
    pub(super) fn read(
        self: Arc<Self>,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        let item = self.plan.item_at(range.start);
        let offset = self.plan.items().get(item).map_or(0, ts::Item::offset);
        let skip = usize::try_from(range.start - offset).unwrap_or(usize::MAX);
        let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let writer = Writer { of: self, item, skip, left, windows: Default::default() };
        stream::try_unfold(writer, Writer::next)
    }
}

async fn track(store: &Store, rendition: Option<&Rendition>) -> Result<Option<Track>, Error> {
    match rendition {
        Some(rendition) => Ok(Some(read_track(store, rendition).await?)),
        None => Ok(None),
    }
}

fn plan(
    picture: &Option<Track>,
    pictures: &Found,
    sound: &Option<Track>,
    sounds: &Found,
    end: u64,
) -> Result<ts::Segment, transcode::Error> {
    let picture = picture.as_ref().map(|track| {
        let samples = pictures.samples.as_slice();
        track.parameter_sets().map(|setup| ElementaryStream {
            setup,
            time_scale: track.time_scale,
            samples,
        })
    });
    let sound = sound.as_ref().map(|track| {
        let samples = sounds.samples.as_slice();
        track.adts().map(|setup| ElementaryStream { setup, time_scale: track.time_scale, samples })
    });
    ts::Segment::plan(picture.transpose()?, sound.transpose()?, end)
}

/// Samples with their places.
#[derive(Debug, Default)]
struct Found {
    samples: Vec<Sample>,
    places: Places,
}

impl Found {
    /// Adds those samples of a segment that `pick` picks.
    async fn take(
        &mut self,
        store: &Store,
        part: &Part,
        segment: &Segment,
        pick: impl FnOnce(&[Sample]) -> Range<usize>,
    ) -> Result<(), Error> {
        let fragment = read_fragment(store, part, segment).await?;
        let object = self.places.objects.len();
        let picked = pick(&fragment.samples);
        let mut offset = segment.offset + fragment.data_offset;
        let mut end = offset;
        for (at, sample) in fragment.samples.iter().enumerate() {
            let next = offset + u64::from(sample.size);
            if picked.contains(&at) {
                self.samples.push(*sample);
                self.places.samples.push((object, offset, sample.size));
                end = next;
            }
            offset = next;
        }
        self.places.objects.push(Object { key: part.key.clone(), end });
        Ok(())
    }
}

/// Where a connection is in a segment.
struct Writer {
    of: Arc<Transport>,
    item: usize,
    /// Bytes of the item that are not wanted.
    skip: usize,
    /// Bytes that are still to be sent.
    left: usize,
    windows: [Window; 2],
}

/// Bytes of an object that were read at once, of which samples are taken.
#[derive(Default)]
struct Window {
    object: usize,
    start: u64,
    bytes: Bytes,
}

impl Writer {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let of = Arc::clone(&self.of);
        let mut out = Vec::with_capacity(2 * BATCH_BYTES);
        while out.len() < (self.skip + self.left).min(BATCH_BYTES + self.skip)
            && let Some(item) = of.plan.items().get(self.item)
        {
            let data = self.data(item).await?;
            let data: Vec<&[u8]> = data.iter().map(|bytes| &bytes[..]).collect();
            of.plan.write(item, &data, &mut out);
            self.item += 1;
        }
        let out = Bytes::from(out);
        let end = out.len().min(self.skip + self.left);
        let piece = out.slice(self.skip.min(end)..end);
        self.skip = 0;
        self.left -= piece.len();
        Ok((!piece.is_empty()).then_some((piece, self)))
    }

    async fn data(&mut self, item: &ts::Item) -> Result<Vec<Bytes>, Error> {
        let Some((media, range)) = item.samples() else { return Ok(Vec::new()) };
        let (places, window) = match media {
            TrackMedia::Picture => (&self.of.picture, &mut self.windows[0]),
            TrackMedia::Sound => (&self.of.sound, &mut self.windows[1]),
        };
        let mut data = Vec::with_capacity(range.len());
        for &(object, start, size) in &places.samples[range] {
            data.push(window.get(&self.of.store, places, object, start, size).await?);
        }
        Ok(data)
    }
}

impl Window {
    async fn get(
        &mut self,
        store: &Store,
        places: &Places,
        object: usize,
        start: u64,
        size: u32,
    ) -> Result<Bytes, Error> {
        let end = start + u64::from(size);
        let covered = self.start..self.start + self.bytes.len() as u64;
        if object != self.object || start < covered.start || end > covered.end {
            let Object { key, end: last } = &places.objects[object];
            let until = end.max((start + WINDOW_BYTES).min(*last));
            let bytes = read_range(store, key, start..until).await?;
            *self = Self { object, start, bytes };
        }
        let at = (start - self.start) as usize;
        Ok(self.bytes.slice(at..at + size as usize))
    }
}
