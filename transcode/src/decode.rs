//! Frames of the video track in the order they are shown, from any media time on.

use std::mem;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::decoder::Opened;
use ffmpeg_next::ffi;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Packet, Rational};

use crate::burn::{self, Burner};
use crate::error::{check, ff};
use crate::plan::Plan;
use crate::time::{self, VIDEO_SCALE};
use crate::timeline::Landmark;
use crate::{Error, Input};

/// How far before the wanted time the next attempts seek, in ticks, when a seek came too late.
const SEEK_BACK: [i64; 4] = [0, 3, 15, 90];

/// When a key frame alone is wanted: how many to try, and how many packets to skip to find one.
const MAX_KEY_FRAMES: u32 = 3;
const MAX_SKIPPED: u32 = 20_000;

/// Pixels from which a second decoder thread is worth its cost.
const THREADS_FROM_PIXELS: u32 = 1920 * 1088 + 1;

/// Reads and decodes one video track. Frames carry media time in ticks of 1/90,000 s as `pts`,
/// each later than the one before. Damaged packets are skipped.
pub(crate) struct VideoReader<'a> {
    input: &'a mut Input,
    decoder: Opened,
    track: usize,
    base: Rational,
    start_us: i64,
    landmarks: Vec<Landmark>,
    /// For frames without a time stamp.
    frame_ticks: i64,
    last: Option<i64>,
    pending: Option<Video>,
    /// Only key frames are decoded, so many ticks apart at least.
    apart: Option<i64>,
    /// When the last packet of them is shown.
    fed: Option<i64>,
    ended: bool,
    /// The track of subtitles that are drawn, and those of its packets that nobody has taken.
    burned: Option<(usize, Vec<Packet>)>,
}

impl<'a> VideoReader<'a> {
    /// Opens the track; the first frame read is the source's first.
    pub(crate) fn open(input: &'a mut Input, plan: &Plan, track: usize) -> Result<Self, Error> {
        input.rewind()?;
        input.follow(&plan.jumps);
        input.select(&[track]);
        let threads = threads(input, track);
        let decoder = input.decoder(track, threads)?;
        let stream = input.context().stream(track);
        let stream = stream.ok_or_else(|| Error::plan(format!("no track {track}")))?;
        let base = stream.time_base();
        let rate = f64::from(stream.avg_frame_rate());
        let rate = if rate.is_finite() && rate >= 1.0 { rate } else { 25.0 };
        #[expect(clippy::cast_possible_truncation, reason = "at most 90,000")]
        let frame_ticks = (f64::from(VIDEO_SCALE) / rate) as i64;
        Ok(Self {
            input,
            decoder,
            track,
            base,
            start_us: plan.start_us,
            landmarks: plan.landmarks.clone(),
            frame_ticks: frame_ticks.max(1),
            last: None,
            pending: None,
            apart: None,
            fed: None,
            ended: false,
            burned: None,
        })
    }

    /// From the next seek on only key frames are decoded, `apart` ticks from each other at least;
    /// without it all frames that others are made of.
    pub(crate) fn hurry(&mut self, apart: Option<i64>) {
        self.apart = apart;
        #[expect(unsafe_code, reason = "which frames are decoded has no safe setter")]
        // SAFETY: the decoder is open and ours alone.
        unsafe {
            (*self.decoder.as_mut_ptr()).skip_frame = ffi::AVDiscard::AVDISCARD_NONREF;
        }
    }

    /// From now on frames that no others are made of are left out, and block edges stay rough: enough
    /// for who sees frames only very small.
    pub(crate) fn glance(&mut self) {
        self.hurry(None);
        #[expect(unsafe_code, reason = "which edges are smoothed has no safe setter")]
        // SAFETY: the decoder is open and ours alone.
        unsafe {
            (*self.decoder.as_mut_ptr()).skip_loop_filter = ffi::AVDiscard::AVDISCARD_ALL;
        }
    }

    /// Reads the subtitles of `track`, too, for what is given back.
    pub(crate) fn burn(&mut self, track: usize, bt709: bool) -> Result<Burner, Error> {
        self.burned = Some((track, Vec::new()));
        self.select();
        Burner::open(self.input, track, self.start_us, bt709)
    }

    /// Packets of subtitles that were read since the last call: up to some frames ahead.
    pub(crate) fn subtitles(&mut self) -> impl Iterator<Item = Packet> {
        self.burned.iter_mut().flat_map(|(_, packets)| packets.drain(..))
    }

    fn select(&mut self) {
        let text = self.burned.as_ref().map(|(track, _)| *track);
        let wanted: Vec<usize> = [self.track].into_iter().chain(text).collect();
        self.input.select(&wanted);
    }

    /// Goes to a place from which the next frame is not later than `ticks`, or to the source's
    /// first frame where that is impossible. Without `reliable` time stamps only landmarks help.
    pub(crate) fn start_before(&mut self, ticks: i64, reliable: bool) -> Result<(), Error> {
        let sought = reliable || !self.landmarks.is_empty();
        let attempts = if ticks > 0 && sought { &SEEK_BACK[..] } else { &[] };
        let lead = if self.burned.is_some() { burn::LEAD } else { 0 };
        for seconds in attempts {
            let target = ticks - lead - seconds * i64::from(VIDEO_SCALE);
            if target <= 0 || self.seek(target).is_err() {
                break;
            }
            if let Some(frame) = self.next()?
                && frame.pts().is_some_and(|time| time <= ticks)
            {
                self.pending = Some(frame);
                return Ok(());
            }
        }
        self.restart()
    }

    /// Seeks to the key frame at or before `ticks`, as well as the container can.
    pub(crate) fn seek(&mut self, ticks: i64) -> Result<(), Error> {
        if !self.landmarks.is_empty() {
            return self.seek_landmark(ticks);
        }
        let stamp = time::stamp(ticks, VIDEO_SCALE, self.start_us, self.base);
        let stream = i32::try_from(self.track).unwrap_or(-1);
        #[expect(unsafe_code, reason = "seeking by stream has no safe wrapper")]
        // SAFETY: the context is open and held exclusively.
        let code = unsafe {
            let context = self.input.context_mut().as_mut_ptr();
            ffi::avformat_seek_file(context, stream, i64::MIN, stamp, stamp, 0)
        };
        check(code, "seek")?;
        self.forget();
        Ok(())
    }

    /// Goes to the last landmark before `ticks`.
    fn seek_landmark(&mut self, ticks: i64) -> Result<(), Error> {
        let time = |landmark: &Landmark| {
            time::ticks(landmark.time_us, Rational::new(1, 1_000_000), self.start_us, VIDEO_SCALE)
        };
        let before = self.landmarks.partition_point(|landmark| time(landmark) <= ticks);
        let Some(landmark) = before.checked_sub(1).map(|i| self.landmarks[i]) else {
            return self.restart();
        };
        let stream = i32::try_from(self.track).unwrap_or(-1);
        #[expect(unsafe_code, reason = "seeking by bytes has no safe wrapper")]
        // SAFETY: the context is open and held exclusively.
        let code = unsafe {
            let context = self.input.context_mut().as_mut_ptr();
            ffi::av_seek_frame(context, stream, landmark.position, ffi::AVSEEK_FLAG_BYTE)
        };
        check(code, "seek")?;
        self.forget();
        Ok(())
    }

    /// The next frame, or nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Video>, Error> {
        if let Some(frame) = self.pending.take() {
            return Ok(Some(frame));
        }
        loop {
            let mut frame = Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    if let Some(frame) = self.stamped(frame) {
                        return Ok(Some(frame));
                    }
                }
                Err(ffmpeg::Error::Other { errno: libc::EAGAIN }) => self.feed()?,
                Err(ffmpeg::Error::Eof) => return Ok(None),
                Err(error) => self.tolerate(error)?,
            }
        }
    }

    /// The key frame at or before `ticks`, decoded alone, so that a far place costs one frame.
    pub(crate) fn key_frame_before(&mut self, ticks: i64) -> Result<Option<Video>, Error> {
        if self.seek(ticks.max(0)).is_err() {
            self.restart()?;
        }
        for _ in 0..MAX_KEY_FRAMES {
            if !self.feed_key_frame()? {
                break;
            }
            let mut frame = Video::empty();
            let received = self.decoder.receive_frame(&mut frame);
            self.forget();
            if received.is_ok() {
                return Ok(self.stamped(frame));
            }
        }
        self.forget();
        Ok(None)
    }

    /// Gives the decoder the next key frame and the end behind it.
    fn feed_key_frame(&mut self) -> Result<bool, Error> {
        let mut packet = Packet::empty();
        for _ in 0..MAX_SKIPPED {
            match self.input.read(&mut packet) {
                Ok(()) if packet.stream() == self.track && packet.is_key() => {
                    // One that does not decode gives no frame; the next one may.
                    let _ = self.decoder.send_packet(&packet);
                    let _ = self.decoder.send_eof();
                    return Ok(true);
                }
                Ok(()) | Err(ffmpeg::Error::InvalidData) => {}
                Err(_) => return Ok(false),
            }
        }
        Ok(false)
    }

    fn restart(&mut self) -> Result<(), Error> {
        self.input.rewind()?;
        self.select();
        self.forget();
        Ok(())
    }

    fn forget(&mut self) {
        self.decoder.flush();
        self.last = None;
        self.pending = None;
        self.fed = None;
        self.ended = false;
        if let Some((_, packets)) = &mut self.burned {
            packets.clear();
        }
    }

    /// Gives the decoder one more packet, or the end.
    fn feed(&mut self) -> Result<(), Error> {
        if self.ended {
            return Err(Error::unusable("the decoder wants more than there is"));
        }
        let mut packet = Packet::empty();
        loop {
            match self.input.read(&mut packet) {
                Ok(()) if packet.stream() == self.track && self.is_wanted(&packet) => break,
                Ok(()) => {
                    if let Some((track, packets)) = &mut self.burned
                        && *track == packet.stream()
                    {
                        packets.push(mem::replace(&mut packet, Packet::empty()));
                    }
                }
                // A damaged packet: the demuxer goes on behind it.
                Err(ffmpeg::Error::InvalidData) => {}
                Err(ffmpeg::Error::Other { errno }) if errno == libc::EIO => {
                    return Err(ff("read the source")(ffmpeg::Error::Other { errno }));
                }
                Err(_) => {
                    self.ended = true;
                    let _ = self.decoder.send_eof();
                    return Ok(());
                }
            }
        }
        self.decoder.send_packet(&packet).or_else(|error| self.tolerate(error))
    }

    /// Whether the packet is to be decoded.
    fn is_wanted(&mut self, packet: &Packet) -> bool {
        let Some(apart) = self.apart else { return true };
        let stamp = packet.pts().or(packet.dts());
        let time = stamp.map(|stamp| time::ticks(stamp, self.base, self.start_us, VIDEO_SCALE));
        let near = self.fed.zip(time).is_some_and(|(fed, time)| time - fed < apart);
        let wanted = packet.is_key() && !near;
        if wanted {
            self.fed = time;
        }
        wanted
    }

    /// Only lack of memory ends the reading; a frame that does not decode is left out.
    fn tolerate(&self, error: ffmpeg::Error) -> Result<(), Error> {
        match error {
            ffmpeg::Error::Other { errno: libc::ENOMEM } => Err(ff("decode")(error)),
            _ => Ok(()),
        }
    }

    /// Puts media time into the frame; `None` for frames that run backwards or show nothing.
    fn stamped(&mut self, mut frame: Video) -> Option<Video> {
        if frame.width() == 0 || frame.height() == 0 {
            return None;
        }
        let time = match frame.timestamp() {
            Some(stamp) => time::ticks(stamp, self.base, self.start_us, VIDEO_SCALE),
            None => self.last.map_or(0, |last| last + self.frame_ticks),
        };
        if self.last.is_some_and(|last| time <= last) {
            return None;
        }
        self.last = Some(time);
        frame.set_pts(Some(time));
        // x264 must not take the source's frame types for orders.
        frame.set_kind(ffmpeg::picture::Type::None);
        Some(frame)
    }
}

fn threads(input: &Input, track: usize) -> u32 {
    let Some(stream) = input.context().stream(track) else { return 1 };
    let parameters = stream.parameters();
    #[expect(unsafe_code, reason = "the size has no safe getter")]
    // SAFETY: the parameters belong to the stream that outlives this call.
    let (width, height) = unsafe { ((*parameters.as_ptr()).width, (*parameters.as_ptr()).height) };
    let pixels = width.unsigned_abs().saturating_mul(height.unsigned_abs());
    if pixels >= THREADS_FROM_PIXELS { 2 } else { 1 }
}
