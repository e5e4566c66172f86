//! A lane: takes frames, hands them scaled to the lane below, encodes and packages its own.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use ffmpeg_next as ffmpeg;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::encoder::video::Encoder;
use ffmpeg_next::frame::Video;
use ffmpeg_next::picture::Type;

use crate::cmaf::{Packager, Rendition, Sample, VideoTrack, init_video};
use crate::error::ff;
use crate::frame::{Scaler, share};
use crate::plan::{Rung, VideoPlan};
use crate::time::VIDEO_SCALE;
use crate::{Error, Event};

use super::coder::{self, Config};

/// What comes down a lane.
pub(super) enum Job {
    /// A frame to encode.
    Frame {
        /// The picture, of the size of the lane above.
        frame: Video,
        /// When it is shown, ticks.
        time: i64,
        /// As an IDR frame.
        key: bool,
        /// As the first of a segment.
        segment: bool,
    },
    /// The part ends at this time.
    End(i64),
}

/// What a lane is to do.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    /// The whole plan of the picture.
    pub(super) video: &'a VideoPlan,
    /// This lane's rung.
    pub(super) rung: &'a Rung,
    /// The size of the frames that come.
    pub(super) from: (u32, u32),
    /// Which part.
    pub(super) part: usize,
    /// The number of the part's first segment in the rendition, from 0.
    pub(super) first_segment: i64,
    /// Where to write.
    pub(super) out: &'a Path,
}

/// One rung at work on one part.
pub(super) struct Lane<'a> {
    video: &'a VideoPlan,
    rung: &'a Rung,
    scaler: Scaler,
    encoder: Encoder,
    /// Known with the first packet.
    config: Option<Config>,
    rendition: Rendition,
    packager: Packager,
    segments: VecDeque<i64>,
    number: i64,
    below: Option<SyncSender<Job>>,
    events: Sender<Event>,
}

impl<'a> Lane<'a> {
    /// Opens the encoder.
    pub(super) fn open(
        order: &Order<'a>,
        below: Option<SyncSender<Job>>,
        events: Sender<Event>,
    ) -> Result<Self, Error> {
        let Order { video, rung, from, part, first_segment, out } = *order;
        let encoder = coder::open(video, rung)?;
        let rendition = Rendition::new(&rung.name, VIDEO_SCALE, out);
        let mut packager = Packager::new(rendition.clone());
        packager.begin_part(part)?;
        let scaler = Scaler::new(from, (rung.width, rung.height))?;
        let segments = VecDeque::new();
        // The first frame begins the first segment and counts up to it.
        let number = first_segment - 1;
        Ok(Self {
            video,
            rung,
            scaler,
            encoder,
            config: None,
            rendition,
            packager,
            segments,
            number,
            below,
            events,
        })
    }

    /// Works until the end of the part, or until nothing comes any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) -> Result<(), Error> {
        for job in jobs {
            match job {
                Job::Frame { frame, time, key, segment } => {
                    self.encode(frame, time, key, segment)?;
                }
                Job::End(end) => return self.finish(end),
            }
        }
        // Decoding has stopped before the part's end and tells why itself.
        Ok(())
    }

    fn encode(&mut self, frame: Video, time: i64, key: bool, segment: bool) -> Result<(), Error> {
        let mut frame = self.scaler.scale(frame)?;
        if let Some(below) = &self.below {
            let frame = share(&frame)?;
            let job = Job::Frame { frame, time, key, segment };
            below.send(job).map_err(|_| Error::unusable("the lane below stopped"))?;
        }
        if segment {
            self.begin_anew()?;
            self.segments.push_back(time);
        }
        frame.set_pts(Some(time));
        frame.set_kind(if key { Type::I } else { Type::None });
        self.encoder.send_frame(&frame).map_err(ff(super::lane_name(self.rung)))?;
        self.receive()
    }

    /// Before a segment: an encoder that takes no orders for key frames is opened once more.
    fn begin_anew(&mut self) -> Result<(), Error> {
        let first = self.config.is_none() && self.segments.is_empty();
        if first || coder::takes_orders(self.rung.codec) {
            return Ok(());
        }
        self.drain()?;
        self.encoder = coder::open(self.video, self.rung)?;
        Ok(())
    }

    fn finish(&mut self, end: i64) -> Result<(), Error> {
        if let Some(below) = self.below.take() {
            below.send(Job::End(end)).map_err(|_| Error::unusable("the lane below stopped"))?;
        }
        self.drain()?;
        self.packager.end_segment(self.number, end)?;
        let events = &self.events;
        self.packager.end_part(&mut |event| {
            let _ = events.send(event);
            Ok(())
        })
    }

    /// Takes what the encoder still holds; it takes no more frames then.
    fn drain(&mut self) -> Result<(), Error> {
        self.encoder.send_eof().map_err(ff(super::lane_name(self.rung)))?;
        self.receive()
    }

    fn receive(&mut self) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => self.package(&packet)?,
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => {
                    return Ok(());
                }
                Err(error) => return Err(ff(super::lane_name(self.rung))(error)),
            }
        }
    }

    fn package(&mut self, packet: &Packet) -> Result<(), Error> {
        let time = packet.pts().ok_or_else(|| Error::unusable("the encoder lost a time"))?;
        let data = packet.data().unwrap_or_default();
        if packet.is_key() {
            self.configure(data)?;
        }
        if packet.is_key() && self.segments.front() == Some(&time) {
            self.segments.pop_front();
            self.packager.end_segment(self.number, time)?;
            self.number += 1;
        }
        let Some(config) = &self.config else {
            return Err(Error::unusable("the encoder began without a key frame"));
        };
        self.packager.push(Sample { time, key: packet.is_key(), data: config.sample(data) });
        Ok(())
    }

    /// Writes the initialisation segment with the first key frame; later ones must agree with it.
    fn configure(&mut self, key: &[u8]) -> Result<(), Error> {
        let (video, rung) = (self.video, self.rung);
        if let Some(config) = &self.config {
            return config.agrees_with(key);
        }
        let config = Config::new(video, rung, &self.encoder, key)?;
        let file = self.rendition.write_init(&init_video(&VideoTrack {
            codec: rung.codec,
            width: rung.width,
            height: rung.height,
            record: config.record(),
            colour: video.colour,
            time_scale: VIDEO_SCALE,
        }))?;
        // The receiver outlives the lanes; when it does not, nobody wants to know.
        let _ = self.events.send(Event::Init {
            rendition: rung.name.clone(),
            file,
            codecs: config.codecs().to_owned(),
            width: rung.width,
            height: rung.height,
            frame_rate: video.frame_rate.value(),
            sample_rate: 0,
            channels: 0,
            time_scale: VIDEO_SCALE,
        });
        self.config = Some(config);
        Ok(())
    }
}
