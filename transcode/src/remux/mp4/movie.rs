//! The beginning of the file, made of the tracks and the samples that come.

use crate::Error;
use crate::cmaf::{Boxes, MATRIX, packed_language};
use crate::remux::{Fragment, Track, TrackMedia};

use super::tables::Tables;
use super::text::{self, Cue};

/// Ticks a second of the movie; that of pictures, so that edits are exact.
const TIME_SCALE: u32 = 90_000;

/// Nobody has more languages; each track takes some hundred bytes and an entry in menus.
const MAX_TRACKS: usize = 1000;

/// A file that is being described.
#[derive(Debug, Default)]
pub struct Movie {
    tracks: Vec<MovieTrack>,
    /// Bytes of `mdat` so far.
    placed: u64,
    /// Samples that come first in `mdat`: those of text.
    text: Vec<u8>,
}

/// The beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `ftyp`, `moov`, the header of `mdat`, and the samples of text.
    pub bytes: Vec<u8>,
    /// Bytes that belong behind it.
    pub media_bytes: u64,
}

#[derive(Debug)]
struct MovieTrack {
    kind: Kind,
    time_scale: u32,
    width: u16,
    height: u16,
    language: u16,
    entry: Vec<u8>,
    /// Played unless somebody chooses.
    enabled: bool,
    tables: Tables,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Picture,
    Sound,
    Text,
}

impl Movie {
    /// Adds a track and gives its number here. Of several of a kind, one is to be `enabled`: the
    /// others are there to be chosen.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] beyond a thousand tracks.
    pub fn track(&mut self, track: &Track, enabled: bool) -> Result<usize, Error> {
        self.add(MovieTrack {
            kind: match track.media {
                TrackMedia::Picture => Kind::Picture,
                TrackMedia::Sound => Kind::Sound,
            },
            time_scale: track.time_scale,
            width: track.width,
            height: track.height,
            language: track.language,
            entry: track.entry.clone(),
            enabled,
            tables: Tables::default(),
        })
    }

    /// Adds captions (3GPP TS 26.245, "timed text"), which are chosen by who wants them; before any
    /// [`Movie::chunk`]. `language` is BCP 47.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] beyond a thousand tracks.
    pub fn captions(&mut self, cues: &[Cue], language: &str) -> Result<(), Error> {
        let (fragment, bytes) = text::text_samples(cues);
        if fragment.samples.is_empty() {
            return Ok(());
        }
        let picture = self.tracks.iter().find(|track| track.kind == Kind::Picture);
        let (width, height) = picture.map_or((0, 0), |picture| (picture.width, picture.height));
        let mut tables = Tables::default();
        tables.chunk(&fragment, self.placed);
        self.placed += bytes.len() as u64;
        self.text.extend_from_slice(&bytes);
        let language = packed_language(Some(language));
        let entry = text::entry(width, height);
        let time_scale = text::TIME_SCALE;
        let (kind, enabled) = (Kind::Text, false);
        self.add(MovieTrack { kind, time_scale, width, height, language, entry, enabled, tables })?;
        Ok(())
    }

    fn add(&mut self, track: MovieTrack) -> Result<usize, Error> {
        if self.tracks.len() >= MAX_TRACKS {
            return Err(Error::unusable("too many tracks"));
        }
        self.tracks.push(track);
        Ok(self.tracks.len() - 1)
    }

    /// Adds a fragment's samples to the track of this number; their bytes belong behind those of
    /// the chunk before.
    pub fn chunk(&mut self, track: usize, fragment: &Fragment) {
        if let Some(track) = self.tracks.get_mut(track) {
            track.tables.chunk(fragment, self.placed);
            self.placed += fragment.data_bytes();
        }
    }

    /// Writes the beginning of the file.
    #[must_use]
    pub fn finish(mut self) -> Head {
        self.tracks.iter_mut().for_each(|track| track.tables.finish());
        // Offsets take as many bytes whatever they are: written once for the length alone.
        let wide = self.placed > u64::from(u32::MAX) / 2;
        let length = self.write(0, wide).len() as u64;
        let mut bytes = self.write(length, wide);
        bytes.extend_from_slice(&self.text);
        Head { bytes, media_bytes: self.placed - self.text.len() as u64 }
    }

    fn write(&self, base: u64, wide: bool) -> Vec<u8> {
        let mut file = Boxes::new();
        file.put(b"ftyp", |b| self.brands(b));
        file.put(b"moov", |b| {
            let length = self.tracks.iter().map(MovieTrack::length).max().unwrap_or(0);
            b.full(b"mvhd", version(length), 0, |b| self.movie_header(b, length));
            for (number, track) in self.tracks.iter().enumerate() {
                b.put(b"trak", |b| track.write(b, number + 1, base, wide));
            }
        });
        // The size counts the header (section 4.2); one of 64 bits stands behind the name.
        match u32::try_from(self.placed + 8) {
            Ok(size) => {
                file.u32(size).bytes(b"mdat");
            }
            Err(_) => {
                file.u32(1).bytes(b"mdat").u64(self.placed + 16);
            }
        }
        file.into_bytes()
    }

    fn brands(&self, b: &mut Boxes) {
        let is = |kind| self.tracks.iter().any(|track| track.kind == kind);
        let avc = self.tracks.iter().any(|track| track.entry.get(4..8) == Some(b"avc1"));
        if !is(Kind::Picture) {
            b.bytes(b"M4A ").u32(0x200).bytes(b"M4A isomiso2mp42");
        } else if avc {
            b.bytes(b"isom").u32(0x200).bytes(b"isomiso2avc1mp41");
        } else {
            b.bytes(b"isom").u32(0x200).bytes(b"isomiso2iso6mp41");
        }
    }

    fn movie_header(&self, b: &mut Boxes, length: u64) {
        times(
            b,
            |b| {
                b.u32(TIME_SCALE);
            },
            length,
        );
        b.u32(0x1_0000).u16(0x100).zeros(10);
        matrix(b);
        b.zeros(24).u32(u32::try_from(self.tracks.len() + 1).unwrap_or(u32::MAX));
    }
}

impl MovieTrack {
    /// Ticks of the movie, from its start to the track's end.
    fn length(&self) -> u64 {
        self.scaled(self.tables.begins()) + self.scaled(self.tables.shown())
    }

    /// Ticks of the movie, to the nearest.
    fn scaled(&self, ticks: u64) -> u64 {
        let scale = u128::from(self.time_scale.max(1));
        let scaled = (u128::from(ticks) * u128::from(TIME_SCALE) + scale / 2) / scale;
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    fn write(&self, b: &mut Boxes, number: usize, base: u64, wide: bool) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        // In the movie, and enabled (section 8.3.2.3).
        let flags = if self.enabled { 3 } else { 2 };
        b.full(b"tkhd", version(self.length()), flags, |b| {
            times(
                b,
                |b| {
                    b.u32(number).u32(0);
                },
                self.length(),
            );
            let (group, volume) = match self.kind {
                Kind::Picture => (0, 0),
                Kind::Sound => (1, 0x100),
                Kind::Text => (2, 0),
            };
            b.zeros(8).u16(0).u16(group).u16(volume).u16(0);
            matrix(b);
            b.u16(self.width).u16(0).u16(self.height).u16(0);
        });
        if self.tables.begins() > 0 || self.tables.lead() > 0 {
            b.put(b"edts", |b| self.edits(b));
        }
        b.put(b"mdia", |b| self.media(b, base, wide));
    }

    /// Nothing until the track begins, then all of it (section 8.6.6).
    fn edits(&self, b: &mut Boxes) {
        let (empty, shown) = (self.scaled(self.tables.begins()), self.scaled(self.tables.shown()));
        let version = version(empty.max(shown).max(self.tables.lead()));
        let edit = |b: &mut Boxes, lasts: u64, time: i64| {
            match version {
                0 => b.u32(low(lasts)).u32(low(time.cast_unsigned())),
                _ => b.u64(lasts).u64(time.cast_unsigned()),
            };
            b.u16(1).u16(0);
        };
        b.full(b"elst", version, 0, |b| {
            b.u32(if empty > 0 { 2 } else { 1 });
            if empty > 0 {
                edit(b, empty, -1);
            }
            edit(b, shown, self.tables.lead().cast_signed());
        });
    }

    fn media(&self, b: &mut Boxes, base: u64, wide: bool) {
        let length = self.tables.length();
        b.full(b"mdhd", version(length), 0, |b| {
            times(
                b,
                |b| {
                    b.u32(self.time_scale);
                },
                length,
            );
            b.u16(self.language).u16(0);
        });
        let (handler, name) = match self.kind {
            Kind::Picture => (b"vide", "VideoHandler"),
            Kind::Sound => (b"soun", "SoundHandler"),
            // Apple's, which others took up; 3GPP's `text` is shown by fewer.
            Kind::Text => (b"sbtl", "SubtitleHandler"),
        };
        b.full(b"hdlr", 0, 0, |b| {
            b.u32(0).bytes(handler).zeros(12).bytes(name.as_bytes()).u8(0);
        });
        b.put(b"minf", |b| {
            match self.kind {
                Kind::Picture => b.full(b"vmhd", 0, 1, |b| {
                    b.zeros(8);
                }),
                Kind::Sound => b.full(b"smhd", 0, 0, |b| {
                    b.zeros(4);
                }),
                Kind::Text => b.full(b"nmhd", 0, 0, |_| {}),
            };
            b.put(b"dinf", |b| {
                b.full(b"dref", 0, 0, |b| {
                    b.u32(1).full(b"url ", 0, 1, |_| {});
                });
            });
            b.put(b"stbl", |b| {
                b.full(b"stsd", 0, 0, |b| {
                    b.u32(1).bytes(&self.entry);
                });
                self.tables.write(b, base, wide);
            });
        });
    }
}

/// Version of a box that holds this number: 1 has 64 bits. Old devices read only version 0.
fn version(value: u64) -> u8 {
    u8::from(value > u64::from(u32::MAX))
}

/// Creation and modification time, which are not told; what `between` writes; the length.
fn times(b: &mut Boxes, between: impl FnOnce(&mut Boxes), length: u64) {
    let wide = version(length) == 1;
    b.zeros(if wide { 16 } else { 8 });
    between(b);
    if wide {
        b.u64(length)
    } else {
        b.u32(low(length))
    };
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
fn low(value: u64) -> u32 {
    value as u32
}

fn matrix(b: &mut Boxes) {
    MATRIX.iter().for_each(|&m| {
        b.u32(m);
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::remux::Sample;
    use crate::remux::read::{find, find_in, u16_at, u32_at, u64_at};
    use crate::remux::track::tests::{picture, sound};

    /// Samples of a fragment that begins at `start`, each lasting `step`, shown one later but for
    /// the first.
    fn fragment(start: u64, step: u32, sizes: &[u32]) -> Fragment {
        let sample = |(n, &size): (usize, &u32)| {
            let decode = start + n as u64 * u64::from(step);
            let time = decode + u64::from(n > 0) * u64::from(step);
            Sample { decode, time, duration: step, size, key: n == 0 }
        };
        Fragment { data_offset: 0, samples: sizes.iter().enumerate().map(sample).collect() }
    }

    fn tracks(moov: &[u8]) -> Vec<&[u8]> {
        let (mut found, mut rest) = (Vec::new(), moov);
        while let Some(trak) = find(rest, b"trak") {
            found.push(trak);
            let end = trak.as_ptr() as usize + trak.len() - rest.as_ptr() as usize;
            rest = &rest[end..];
        }
        found
    }

    fn list(stbl: &[u8], name: &[u8; 4], width: usize) -> Vec<Vec<u32>> {
        let table = find(stbl, name).unwrap_or_default();
        let entries = table.get(8..).unwrap_or_default().chunks(4 * width);
        entries.map(|e| (0..width).map(|n| u32_at(e, 4 * n).unwrap()).collect()).collect()
    }

    #[test]
    fn tables_say_where_samples_are_and_when() {
        let (video, audio) =
            (Track::read(&picture()).unwrap(), Track::read(&sound(&[0x12, 0x10])).unwrap());
        let mut movie = Movie::default();
        let video = movie.track(&video, true).unwrap();
        let audio = movie.track(&audio, true).unwrap();
        movie.chunk(video, &fragment(9000, 3600, &[100, 20, 30]));
        let mut heard = fragment(0, 1024, &[7, 7]);
        heard.samples.iter_mut().for_each(|s| (s.time, s.key) = (s.decode, true));
        movie.chunk(audio, &heard);
        movie.chunk(video, &fragment(19_800, 3600, &[50]));
        let head = movie.finish();
        assert_eq!(head.media_bytes, 214);
        let moov = find(&head.bytes, b"moov").unwrap();
        let traks = tracks(moov);
        let stbl = find_in(traks[0], &[b"mdia", b"minf", b"stbl"]).unwrap();
        assert_eq!(list(stbl, b"stts", 2), [[4, 3600]]);
        assert_eq!(list(stbl, b"ctts", 2), [[1, 0], [2, 3600], [1, 0]]);
        assert_eq!(list(stbl, b"stss", 1), [[1], [4]]);
        assert_eq!(list(stbl, b"stsc", 3), [[1, 3, 1], [2, 1, 1]]);
        let base = u32::try_from(head.bytes.len()).unwrap();
        assert_eq!(list(stbl, b"stco", 1), [[base], [base + 164]]);
        // Nothing for 0.1 s, then all of it.
        let elst = find_in(traks[0], &[b"edts", b"elst"]).unwrap();
        let edits: Vec<u32> = (1..8).map(|n| u32_at(elst, 4 * n).unwrap()).collect();
        assert_eq!(edits, [2, 9000, u32::MAX, 0x1_0000, 14_400, 0, 0x1_0000]);
        let stbl = find_in(traks[1], &[b"mdia", b"minf", b"stbl"]).unwrap();
        assert!(find(stbl, b"stss").is_none() && find(stbl, b"ctts").is_none());
        assert_eq!(list(stbl, b"stco", 1), [[base + 150]]);
        assert!(find(traks[1], b"edts").is_none(), "it begins at once");
        let mdat = &head.bytes[head.bytes.len() - 8..];
        assert_eq!((u32_at(mdat, 0), &mdat[4..]), (Some(222), &b"mdat"[..]));
    }

    #[test]
    fn more_than_4_gib_have_wide_offsets() {
        let mut movie = Movie::default();
        let video = movie.track(&Track::read(&picture()).unwrap(), true).unwrap();
        for n in 0..3 {
            movie.chunk(video, &fragment(n * 3600, 3600, &[2_000_000_000]));
        }
        let head = movie.finish();
        let moov = find(&head.bytes, b"moov").unwrap();
        let stbl = find_in(tracks(moov)[0], &[b"mdia", b"minf", b"stbl"]).unwrap();
        let co64 = find(stbl, b"co64").unwrap();
        assert_eq!(u64_at(co64, 24), Some(head.bytes.len() as u64 + 4_000_000_000));
        let mdat = &head.bytes[head.bytes.len() - 16..];
        assert_eq!((u32_at(mdat, 0), u64_at(mdat, 8)), (Some(1), Some(6_000_000_016)));
    }

    #[test]
    fn captions_come_first_and_are_not_enabled() {
        let mut movie = Movie::default();
        let video = movie.track(&Track::read(&picture()).unwrap(), true).unwrap();
        let cue = Cue { start_ms: 1000, end_ms: 2000, text: "剪纸".to_owned() };
        movie.captions(&[cue], "zh").unwrap();
        movie.chunk(video, &fragment(0, 3600, &[9]));
        let head = movie.finish();
        assert!(head.bytes.ends_with(&[&[0, 0, 0, 6][..], "剪纸".as_bytes()].concat()));
        assert_eq!(head.media_bytes, 9);
        let moov = find(&head.bytes, b"moov").unwrap();
        let text = tracks(moov)[1];
        assert_eq!(find(text, b"tkhd").unwrap()[..4], [0, 0, 0, 2]);
        assert_eq!(find_in(text, &[b"mdia", b"hdlr"]).unwrap()[8..12], *b"sbtl");
        let language = u16_at(find_in(text, &[b"mdia", b"mdhd"]).unwrap(), 20);
        assert_eq!(language, Some(packed_language(Some("zh"))));
        let stbl = find_in(text, &[b"mdia", b"minf", b"stbl"]).unwrap();
        assert_eq!(list(stbl, b"stts", 2), [[2, 1000]]);
    }

    proptest! {
        /// Every sample keeps its time, size and place, wherever fragments begin.
        #[test]
        fn times_sizes_and_places_come_back(
            chunks in proptest::collection::vec(
                (0_u64..5000, proptest::collection::vec(1_u32..100, 1..20)), 1..10),
            step in 1_u32..5000,
        ) {
            let mut movie = Movie::default();
            let video = movie.track(&Track::read(&picture()).unwrap(), true).unwrap();
            let (mut start, mut expected, mut place) = (0, Vec::new(), 0);
            for (gap, sizes) in &chunks {
                let fragment = fragment(start + gap, step, sizes);
                for sample in &fragment.samples {
                    expected.push((sample.time, sample.size, place));
                    place += u64::from(sample.size);
                }
                start += gap + u64::from(step) * sizes.len() as u64;
                movie.chunk(video, &fragment);
            }
            let first = expected[0].0;
            let head = movie.finish();
            prop_assert_eq!(head.media_bytes, place);
            let moov = find(&head.bytes, b"moov").unwrap();
            let stbl = find_in(tracks(moov)[0], &[b"mdia", b"minf", b"stbl"]).unwrap();
            let spread = |runs: Vec<Vec<u32>>| -> Vec<u64> {
                runs.iter().flat_map(|r| vec![u64::from(r[1]); r[0] as usize]).collect()
            };
            let durations = spread(list(stbl, b"stts", 2));
            let mut offsets = spread(list(stbl, b"ctts", 2));
            offsets.resize(durations.len(), 0);
            let stsz = find(stbl, b"stsz").unwrap();
            let chunks = list(stbl, b"stsc", 3);
            let starts = list(stbl, b"stco", 1);
            let (mut at, mut decode, mut found) = (0, first, Vec::new());
            for (n, start) in starts.iter().enumerate() {
                let run = chunks.iter().rev().find(|run| run[0] as usize <= n + 1).unwrap();
                let mut place = u64::from(start[0]) - head.bytes.len() as u64;
                for _ in 0..run[1] {
                    let size = u32_at(stsz, 12 + 4 * at).unwrap();
                    found.push((decode + offsets[at], size, place));
                    place += u64::from(size);
                    decode += durations[at];
                    at += 1;
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
