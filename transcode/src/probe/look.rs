//! The first frames of every track, really decoded.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::decoder::Opened;
use ffmpeg_next::ffi;
use ffmpeg_next::frame::{Audio, Video};

use crate::cmaf::{NalFormat, adts_frame, has_idr, packet_format};
use crate::facts::{AudioFacts, Colour, Hdr, Ratio, SourceTrack, TrackKind, VideoFacts};
use crate::frame::pixel_facts;
use crate::time;
use crate::{Error, Input};

use super::{ratio, tracks};

/// Frames of a video track after which it is known well enough whether it is interlaced.
const VIDEO_FRAMES: u32 = 12;
/// Frames that do when the codec's own header says that it is not.
const PROGRESSIVE_FRAMES: u32 = 2;
/// Frames of an audio track: the first ones of some codecs are silent.
const AUDIO_FRAMES: u32 = 3;
/// No more packets or bytes than these are read to find them.
const MAX_PACKETS: u32 = 6_000;
const MAX_BYTES: usize = 96 << 20;

/// Elementary streams: without time stamps a place in the middle cannot be found.
const UNRELIABLE: [&str; 5] = ["h264", "hevc", "mpegvideo", "m4v", "obu"];

/// What the first frames showed.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The source's time of the first frame that is shown or heard, microseconds.
    pub(super) first_us: Option<i64>,
    /// Key frames begin closed groups of pictures, as far as was seen.
    pub(super) closed_gops: bool,
}

/// Decodes, and writes what it sees into `tracks`.
pub(super) fn look(input: &mut Input, tracks: &mut [SourceTrack]) -> Result<Vec<Look>, Error> {
    let mut viewers: Vec<Viewer> =
        tracks.iter().filter_map(|track| Viewer::open(input, track)).collect();
    let (mut packets, mut bytes) = (0, 0);
    while packets < MAX_PACKETS && bytes < MAX_BYTES && viewers.iter().any(|v| !v.content()) {
        let mut packet = Packet::empty();
        match input.read(&mut packet) {
            Ok(()) => {}
            Err(ffmpeg::Error::InvalidData) => {
                packets += 1;
                continue;
            }
            Err(_) => break,
        }
        packets += 1;
        bytes += packet.size();
        if let Some(viewer) = viewers.iter_mut().find(|v| v.track == packet.stream()) {
            viewer.feed(&packet);
        }
    }
    let unreliable = UNRELIABLE.contains(&super::container(input).as_str());
    let mut looks: Vec<Look> = tracks.iter().map(|_| Look::default()).collect();
    for mut viewer in viewers {
        viewer.drain_all();
        let index = viewer.track;
        viewer.describe(input, &mut tracks[index], !unreliable);
        looks[index] = Look { first_us: viewer.first_us, closed_gops: viewer.closed_gops };
    }
    Ok(looks)
}

/// A decoder and what came out of it.
struct Viewer {
    track: usize,
    kind: TrackKind,
    decoder: Opened,
    base: ffmpeg::Rational,
    first_us: Option<i64>,
    frames: u32,
    /// Frames that are enough, for a video track.
    wanted: u32,
    interlaced: u32,
    video: Option<Video>,
    audio: Option<Audio>,
    nals: Option<NalFormat>,
    last_key: Option<i64>,
    closed_gops: bool,
    /// ADTS with several frames in one.
    blocks: bool,
}

impl Viewer {
    fn open(input: &Input, track: &SourceTrack) -> Option<Self> {
        if !matches!(track.kind, TrackKind::Video | TrackKind::Audio | TrackKind::Cover) {
            return None;
        }
        let stream = input.context().stream(track.index)?;
        let decoder = input.decoder(track.index, 1).ok()?;
        let nals = (track.codec == "h264").then(|| packet_format(&extradata(&stream)));
        Some(Self {
            track: track.index,
            kind: track.kind,
            decoder,
            base: stream.time_base(),
            first_us: None,
            frames: 0,
            wanted: if is_progressive(&stream) { PROGRESSIVE_FRAMES } else { VIDEO_FRAMES },
            interlaced: 0,
            video: None,
            audio: None,
            nals,
            last_key: None,
            closed_gops: nals.is_some(),
            blocks: false,
        })
    }

    /// Has it seen enough?
    fn content(&self) -> bool {
        match self.kind {
            TrackKind::Video => self.frames >= self.wanted,
            TrackKind::Audio => self.frames >= AUDIO_FRAMES,
            _ => self.frames >= 1,
        }
    }

    fn feed(&mut self, packet: &Packet) {
        if self.content() {
            return;
        }
        self.check_gop(packet);
        let adts = adts_frame(packet.data().unwrap_or_default());
        self.blocks |= adts.is_some_and(|(_, single)| !single);
        // A damaged packet says nothing about those that follow.
        let _ = self.decoder.send_packet(packet);
        self.drain();
    }

    /// A key frame must be an IDR frame, and nothing after it in the file be shown before it.
    fn check_gop(&mut self, packet: &Packet) {
        let (Some(nals), Some(pts)) = (self.nals, packet.pts()) else { return };
        if packet.is_key() {
            self.last_key = Some(pts);
            self.closed_gops &= has_idr(packet.data().unwrap_or_default(), nals);
        } else if self.last_key.is_some_and(|key| pts < key) {
            self.closed_gops = false;
        }
    }

    fn drain_all(&mut self) {
        if !self.content() {
            let _ = self.decoder.send_eof();
            self.drain();
        }
    }

    fn drain(&mut self) {
        // Far more frames than a packet can hold, so that a broken decoder cannot keep us.
        for _ in 0..1_000 {
            let taken = if self.kind == TrackKind::Audio { self.hear() } else { self.see() };
            if !taken {
                return;
            }
        }
    }

    fn see(&mut self) -> bool {
        let mut frame = Video::empty();
        if self.decoder.receive_frame(&mut frame).is_err() {
            return false;
        }
        if frame.width() > 0 && frame.height() > 0 {
            self.frames += 1;
            self.interlaced += u32::from(frame.is_interlaced());
            self.stamp(frame.timestamp());
            self.video.get_or_insert(frame);
        }
        true
    }

    fn hear(&mut self) -> bool {
        let mut frame = Audio::empty();
        if self.decoder.receive_frame(&mut frame).is_err() {
            return false;
        }
        if frame.samples() > 0 && frame.rate() > 0 {
            self.frames += 1;
            self.stamp(frame.timestamp());
            self.audio.get_or_insert(frame);
        }
        true
    }

    fn stamp(&mut self, stamp: Option<i64>) {
        if self.frames == 1 {
            // Streams without time stamps begin at 0.
            self.first_us = Some(time::micros(stamp.unwrap_or(0), self.base));
        }
    }

    fn describe(&self, input: &Input, track: &mut SourceTrack, reliable_times: bool) {
        track.decodable = self.frames > 0;
        let Some(stream) = input.context().stream(self.track) else { return };
        if let Some(frame) = &self.video {
            let facts = self.video_facts(frame, &stream);
            track.video = Some(VideoFacts { reliable_times, ..facts });
        }
        if let Some(frame) = &self.audio {
            track.audio = Some(audio_facts(frame));
            // Other than the container says: AAC whose upper half is made anew (SBR, PS).
            let said = stream_rate(&stream);
            if track.codec == "aac"
                && (self.blocks || said.0 != frame.rate() || said.1 != u32::from(frame.channels()))
            {
                track.profile = Some("HE-AAC".to_owned());
            }
        }
    }

    fn video_facts(&self, frame: &Video, stream: &ffmpeg::format::stream::Stream) -> VideoFacts {
        let (rotation, mirrored) = tracks::turn(stream);
        let sar = pixel_shape(frame, stream);
        let (width, height) = shown(frame.width(), frame.height(), sar, rotation);
        let pixel = pixel_facts(frame.format());
        let mut colour = colour(frame);
        if pixel.rgb {
            colour.matrix = 0;
        }
        let frame_rate = ratio(stream.avg_frame_rate()).or_else(|| ratio(stream.rate()));
        VideoFacts {
            width,
            height,
            coded_width: frame.width(),
            coded_height: frame.height(),
            rotation,
            mirrored,
            sar,
            frame_rate: frame_rate.unwrap_or(Ratio { num: 25, den: 1 }),
            variable_frame_rate: false,
            interlaced: self.interlaced * 2 > self.frames,
            pixel_format: pixel.name.to_owned(),
            bit_depth: pixel.bit_depth,
            hdr: match colour.transfer {
                16 => Hdr::Pq,
                18 => Hdr::Hlg,
                _ => Hdr::None,
            },
            colour,
            has_b_frames: has_b_frames(&self.decoder),
            max_key_interval_ms: None,
            closed_gops: false,
            hidden_frames: false,
            reliable_times: true,
        }
    }
}

/// Does the codec's header say that no frame is interlaced?
#[expect(unsafe_code, reason = "the field has no safe getter")]
fn is_progressive(stream: &ffmpeg::format::stream::Stream) -> bool {
    let parameters = stream.parameters();
    // SAFETY: the parameters belong to the stream that is borrowed.
    unsafe { (*parameters.as_ptr()).field_order == ffi::AVFieldOrder::AV_FIELD_PROGRESSIVE }
}

#[expect(unsafe_code, reason = "the field has no safe getter")]
fn has_b_frames(decoder: &Opened) -> bool {
    // SAFETY: the decoder is open and borrowed.
    unsafe { (*decoder.as_ptr()).has_b_frames > 0 }
}

/// The decoder's configuration of a stream.
#[expect(unsafe_code, reason = "extradata has no safe getter")]
pub(crate) fn extradata(stream: &ffmpeg::format::stream::Stream) -> Vec<u8> {
    let parameters = stream.parameters();
    // SAFETY: extradata, when there is any, has extradata_size bytes and lives with the stream.
    unsafe {
        let parameters = &*parameters.as_ptr();
        let size = usize::try_from(parameters.extradata_size).unwrap_or(0);
        if parameters.extradata.is_null() || size == 0 {
            return Vec::new();
        }
        std::slice::from_raw_parts(parameters.extradata, size).to_vec()
    }
}

/// Samples a second and channels as the container says.
#[expect(unsafe_code, reason = "the parameters have no safe getters")]
fn stream_rate(stream: &ffmpeg::format::stream::Stream) -> (u32, u32) {
    let parameters = stream.parameters();
    // SAFETY: the parameters belong to the stream that is borrowed.
    let (rate, channels) = unsafe {
        let parameters = &*parameters.as_ptr();
        (parameters.sample_rate, parameters.ch_layout.nb_channels)
    };
    (rate.unsigned_abs(), channels.unsigned_abs())
}

fn audio_facts(frame: &Audio) -> AudioFacts {
    AudioFacts {
        channels: u32::from(frame.channels()),
        sample_rate: frame.rate(),
        layout: layout_name(frame),
        regular: false,
    }
}

#[expect(unsafe_code, reason = "names of layouts have no safe getter")]
fn layout_name(frame: &Audio) -> String {
    let mut name = [0_u8; 64];
    // SAFETY: the frame is valid, and FFmpeg ends the name inside the buffer.
    unsafe {
        let layout = &raw const (*frame.as_ptr()).ch_layout;
        ffi::av_channel_layout_describe(layout, name.as_mut_ptr().cast(), name.len());
    }
    let end = name.iter().position(|&b| b == 0).unwrap_or(0);
    String::from_utf8_lossy(&name[..end]).into_owned()
}

/// The shape of a pixel: the container's word goes before the codec's.
fn pixel_shape(frame: &Video, stream: &ffmpeg::format::stream::Stream) -> Ratio {
    #[expect(unsafe_code, reason = "the stream's shape has no safe getter")]
    // SAFETY: the stream is borrowed.
    let said = ffmpeg::Rational::from(unsafe { (*stream.as_ptr()).sample_aspect_ratio });
    let sar = ratio(said).or_else(|| ratio(frame.aspect_ratio())).unwrap_or(Ratio::ONE);
    // Shapes beyond this are damage, not anamorphic pictures.
    if (0.1..=10.0).contains(&sar.value()) { sar } else { Ratio::ONE }
}

/// The size on the screen.
fn shown(width: u32, height: u32, sar: Ratio, rotation: u16) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded sides")]
    let square = |side: u32, factor: f64| (f64::from(side) * factor).round().max(1.0) as u32;
    // Pixels are only ever stretched, so that no detail is lost.
    let (width, height) = if sar.num >= sar.den {
        (square(width, sar.value()), height)
    } else {
        (width, square(height, 1.0 / sar.value()))
    };
    if rotation == 90 || rotation == 270 { (height, width) } else { (width, height) }
}

#[expect(unsafe_code, reason = "the code points are wanted as numbers")]
fn colour(frame: &Video) -> Colour {
    // SAFETY: the frame is borrowed. The enums' numbers are those of ISO/IEC 23091-2.
    let (primaries, transfer, matrix, range) = unsafe {
        let frame = &*frame.as_ptr();
        (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
    };
    let code = |code: u32| u8::try_from(code).unwrap_or(2);
    Colour {
        primaries: code(primaries as u32),
        transfer: code(transfer as u32),
        matrix: code(matrix as u32),
        full_range: range == ffi::AVColorRange::AVCOL_RANGE_JPEG,
    }
}
