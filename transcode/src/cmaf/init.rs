//! Initialisation segments: `ftyp` and a `moov` without samples.

use crate::facts::Colour;
use crate::plan::{AudioCodec, VideoCodec};

use super::boxes::Boxes;

/// A video track to be described.
pub(crate) struct VideoTrack<'a> {
    /// What its packets are.
    pub(crate) codec: VideoCodec,
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
    /// The decoder's configuration, as the codec's binding defines it.
    pub(crate) record: &'a [u8],
    /// Written as `colr` when known.
    pub(crate) colour: Colour,
    /// Ticks a second.
    pub(crate) time_scale: u32,
}

/// An audio track to be described.
pub(crate) struct AudioTrack<'a> {
    /// What its packets are.
    pub(crate) codec: AudioCodec,
    /// Of AAC, `AudioSpecificConfig` (ISO/IEC 14496-3 section 1.6.2.1).
    pub(crate) config: &'a [u8],
    /// 1 or 2.
    pub(crate) channels: u32,
    /// Hz; the time scale too.
    pub(crate) sample_rate: u32,
    /// Average.
    pub(crate) bitrate_bps: u32,
    /// BCP 47.
    pub(crate) language: Option<&'a str>,
}

/// The track's number; a CMAF file has one track.
const TRACK_ID: u32 = 1;

/// The unity matrix of `mvhd` and `tkhd`.
pub(crate) const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Describes a video track. Equal input gives equal bytes, whichever part it is made with.
pub(crate) fn init_video(track: &VideoTrack) -> Vec<u8> {
    let media = Media {
        handler: b"vide",
        name: "VideoHandler",
        time_scale: track.time_scale,
        language: None,
        width: track.width,
        height: track.height,
    };
    media.file(
        |b| {
            b.full(b"vmhd", 0, 1, |b| {
                b.zeros(8);
            });
        },
        |b| video_entry(b, track),
    )
}

/// Describes an audio track.
pub(crate) fn init_audio(track: &AudioTrack) -> Vec<u8> {
    let media = Media {
        handler: b"soun",
        name: "SoundHandler",
        time_scale: track.sample_rate,
        language: track.language,
        width: 0,
        height: 0,
    };
    media.file(
        |b| {
            b.full(b"smhd", 0, 0, |b| {
                b.zeros(4);
            });
        },
        |b| audio_entry(b, track),
    )
}

struct Media<'a> {
    handler: &'static [u8; 4],
    name: &'static str,
    time_scale: u32,
    language: Option<&'a str>,
    width: u32,
    height: u32,
}

impl Media<'_> {
    fn file(&self, header: impl FnOnce(&mut Boxes), entry: impl FnOnce(&mut Boxes)) -> Vec<u8> {
        let mut file = Boxes::new();
        file.put(b"ftyp", |b| {
            b.bytes(b"iso6").u32(0).bytes(b"iso6cmfcmp41");
        });
        file.put(b"moov", |b| {
            b.full(b"mvhd", 0, 0, |b| self.movie_header(b));
            b.put(b"trak", |b| {
                // Enabled, in movie.
                b.full(b"tkhd", 0, 3, |b| self.track_header(b));
                b.put(b"mdia", |b| self.media(b, header, entry));
            });
            b.put(b"mvex", |b| {
                b.full(b"trex", 0, 0, |b| {
                    b.u32(TRACK_ID).u32(1).zeros(12);
                });
            });
        });
        file.into_bytes()
    }

    fn movie_header(&self, b: &mut Boxes) {
        b.zeros(8).u32(self.time_scale).u32(0);
        b.u32(0x1_0000).u16(0x100).zeros(10);
        MATRIX.iter().for_each(|&m| {
            b.u32(m);
        });
        b.zeros(24).u32(TRACK_ID + 1);
    }

    fn track_header(&self, b: &mut Boxes) {
        b.zeros(8).u32(TRACK_ID).zeros(8).zeros(8).u16(0).u16(0);
        b.u16(if self.handler == b"soun" { 0x100 } else { 0 }).u16(0);
        MATRIX.iter().for_each(|&m| {
            b.u32(m);
        });
        b.u32(self.width << 16).u32(self.height << 16);
    }

    fn media(
        &self,
        b: &mut Boxes,
        header: impl FnOnce(&mut Boxes),
        entry: impl FnOnce(&mut Boxes),
    ) {
        b.full(b"mdhd", 0, 0, |b| {
            b.zeros(8).u32(self.time_scale).u32(0).u16(packed_language(self.language)).u16(0);
        });
        b.full(b"hdlr", 0, 0, |b| {
            b.u32(0).bytes(self.handler).zeros(12).bytes(self.name.as_bytes()).u8(0);
        });
        b.put(b"minf", |b| {
            header(b);
            b.put(b"dinf", |b| {
                b.full(b"dref", 0, 0, |b| {
                    // The media is in this file.
                    b.u32(1).full(b"url ", 0, 1, |_| {});
                });
            });
            b.put(b"stbl", |b| {
                b.full(b"stsd", 0, 0, |b| {
                    b.u32(1);
                    entry(b);
                });
                b.full(b"stts", 0, 0, |b| {
                    b.u32(0);
                });
                b.full(b"stsc", 0, 0, |b| {
                    b.u32(0);
                });
                b.full(b"stsz", 0, 0, |b| {
                    b.u32(0).u32(0);
                });
                b.full(b"stco", 0, 0, |b| {
                    b.u32(0);
                });
            });
        });
    }
}

/// ISO/IEC 14496-15 sections 5.4.2 and 8.4.1 (parameter sets only here: `avc1`, `hvc1`), and
/// section 2.2 of AV1's binding.
fn video_entry(b: &mut Boxes, track: &VideoTrack) {
    let (entry, configuration) = match track.codec {
        VideoCodec::H264 => (b"avc1", b"avcC"),
        VideoCodec::Hevc => (b"hvc1", b"hvcC"),
        VideoCodec::Av1 => (b"av01", b"av1C"),
    };
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    b.put(entry, |b| {
        b.zeros(6).u16(1).zeros(16);
        b.u16(side(track.width)).u16(side(track.height));
        // 72 dpi, one frame a sample, no compressor's name, no alpha.
        b.u32(0x48_0000).u32(0x48_0000).u32(0).u16(1).zeros(32).u16(0x18).u16(0xffff);
        b.put(configuration, |b| {
            b.bytes(track.record);
        });
        if track.colour.is_known() {
            b.put(b"colr", |b| colour(b, track.colour));
        }
        b.put(b"pasp", |b| {
            b.u32(1).u32(1);
        });
    });
}

/// ISO/IEC 14496-12 section 12.1.5.
fn colour(b: &mut Boxes, colour: Colour) {
    b.bytes(b"nclx");
    for code in [colour.primaries, colour.transfer, colour.matrix] {
        b.u16(u16::from(code));
    }
    b.u8(if colour.full_range { 0x80 } else { 0 });
}

/// ISO/IEC 14496-14 section 6.7, and section 4.3.1 of Opus's binding.
fn audio_entry(b: &mut Boxes, track: &AudioTrack) {
    let channels = u16::try_from(track.channels).unwrap_or(2);
    let entry = match track.codec {
        AudioCodec::Aac => b"mp4a",
        AudioCodec::Opus => b"Opus",
    };
    b.put(entry, |b| {
        b.zeros(6).u16(1).zeros(8).u16(channels).u16(16).zeros(4);
        // Rates above 65,535 Hz do not fit here and are told by the configuration alone.
        b.u32(u16::try_from(track.sample_rate).map_or(0, |rate| u32::from(rate) << 16));
        match track.codec {
            AudioCodec::Aac => b.full(b"esds", 0, 0, |b| elementary_stream(b, track)),
            AudioCodec::Opus => b.put(b"dOps", |b| opus_specific(b, track)),
        };
    });
}

/// Section 4.3.2 of Opus's binding. Nothing is to be skipped: the encoder's delay is a packet that
/// is left out. No gain, one stream.
fn opus_specific(b: &mut Boxes, track: &AudioTrack) {
    b.u8(0).u8(if track.channels == 1 { 1 } else { 2 });
    b.u16(0).u32(track.sample_rate).u16(0).u8(0);
}

/// The ES descriptor (ISO/IEC 14496-1 section 7.2.6.5), with the lengths in one byte each.
fn elementary_stream(b: &mut Boxes, track: &AudioTrack) {
    let config = &track.config[..track.config.len().min(64)];
    #[expect(clippy::cast_possible_truncation, reason = "at most 64 + 23")]
    let length = config.len() as u8;
    b.u8(3).u8(3 + 2 + 13 + 2 + length + 3).u16(0).u8(0);
    // AAC (ISO/IEC 14496-3), an audio stream, 768 bytes a channel of decoder's buffer.
    b.u8(4).u8(13 + 2 + length).u8(0x40).u8(0x15).bytes(&[0, 6, 0]);
    b.u32(track.bitrate_bps).u32(track.bitrate_bps);
    b.u8(5).u8(length).bytes(config);
    b.u8(6).u8(1).u8(2);
}

/// Three letters of five bits (ISO/IEC 14496-12 section 8.4.2.3); only codes that are three
/// letters long can be told here, manifests tell the others.
pub(crate) fn packed_language(language: Option<&str>) -> u16 {
    let letters = match language {
        Some("zh") => *b"zho",
        Some("en") => *b"eng",
        Some(other) => other.as_bytes().try_into().unwrap_or(*b"und"),
        None => *b"und",
    };
    letters.iter().fold(0, |sum, &letter| sum << 5 | u16::from(letter.saturating_sub(0x60) & 0x1f))
}
