//! Subtitles that are pictures (PGS, VobSub, DVB), drawn into the frames.

use std::collections::VecDeque;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::decoder::Opened;
use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::{Context, Flags};
use ffmpeg_next::{Packet, Rational};

use crate::error::{check, ff};
use crate::time::{VIDEO_SCALE, ticks};
use crate::{Error, Input};

/// How long before a frame that is wanted reading begins, in ticks: what was shown before and is
/// still there must be known.
pub(crate) const LEAD: i64 = 10 * VIDEO_SCALE as i64;

/// Pixels of a side; more is damage.
const MAX_SIDE: u32 = 8_192;
/// Pictures that are kept: of those that no frame was asked for.
const MAX_SHOWN: usize = 64;

/// Decodes one track and draws what it shows.
pub(crate) struct Burner {
    decoder: Opened,
    base: Rational,
    start_us: i64,
    /// BT.709, else BT.601.
    bt709: bool,
    shown: VecDeque<Shown>,
}

/// What is on the screen for a while; nothing, if there are no bitmaps.
struct Shown {
    from: i64,
    until: i64,
    canvas: (u32, u32),
    bitmaps: Vec<Bitmap>,
    /// The bitmaps for frames of this size.
    layers: Option<((u32, u32), Vec<Layer>)>,
}

/// Blue, green, red and alpha.
struct Bitmap {
    x: u32,
    y: u32,
    frame: Video,
}

/// `yuva420p` at an even place.
struct Layer {
    x: usize,
    y: usize,
    frame: Video,
}

impl Burner {
    pub(crate) fn open(
        input: &Input,
        track: usize,
        start_us: i64,
        bt709: bool,
    ) -> Result<Self, Error> {
        let decoder = input.decoder(track, 1)?;
        let stream = input.context().stream(track);
        let base = stream.ok_or_else(|| Error::plan(format!("no track {track}")))?.time_base();
        Ok(Self { decoder, base, start_us, bt709, shown: VecDeque::new() })
    }

    /// Takes a packet of the track. One that does not decode is left out.
    pub(crate) fn packet(&mut self, packet: &Packet) {
        let Some(stamp) = packet.pts().or(packet.dts()) else { return };
        let at = |stamp| ticks(stamp, self.base, self.start_us, VIDEO_SCALE);
        let time = at(stamp);
        let lasts = (packet.duration() > 0).then(|| at(stamp + packet.duration()) - time);
        let Some(mut shown) = decode(&mut self.decoder, packet) else { return };
        shown.from = shown.from.saturating_add(time);
        shown.until = match shown.until {
            i64::MAX => lasts.map_or(i64::MAX, |lasts| time.saturating_add(lasts)),
            until => until.saturating_add(time),
        };
        // What comes next takes the place of what is there.
        if let Some(before) = self.shown.back_mut() {
            before.until = before.until.min(shown.from);
        }
        self.shown.push_back(shown);
        if self.shown.len() > MAX_SHOWN {
            self.shown.pop_front();
        }
    }

    /// Draws what is to be seen at the time of the frame, which is `yuv420p`. Times rise.
    pub(crate) fn draw(&mut self, frame: &mut Video) -> Result<(), Error> {
        let Some(time) = frame.pts() else { return Ok(()) };
        while self.shown.front().is_some_and(|shown| shown.until <= time) {
            self.shown.pop_front();
        }
        let bt709 = self.bt709;
        let now = self.shown.iter_mut().find(|s| s.from <= time && time < s.until);
        let Some(shown) = now.filter(|shown| !shown.bitmaps.is_empty()) else { return Ok(()) };
        make_writable(frame)?;
        for layer in shown.layers((frame.width(), frame.height()), bt709)? {
            layer.blend(frame);
        }
        Ok(())
    }
}

impl Shown {
    fn layers(&mut self, size: (u32, u32), bt709: bool) -> Result<&[Layer], Error> {
        if self.layers.as_ref().is_none_or(|(made_for, _)| *made_for != size) {
            let canvas = if self.canvas.0 == 0 || self.canvas.1 == 0 { size } else { self.canvas };
            let layer = |bitmap: &Bitmap| bitmap.layer(canvas, size, bt709);
            self.layers = Some((size, self.bitmaps.iter().map(layer).collect::<Result<_, _>>()?));
        }
        Ok(self.layers.as_ref().map(|(_, layers)| layers.as_slice()).unwrap_or_default())
    }
}

impl Bitmap {
    /// Scaled from the canvas to the frame.
    fn layer(&self, canvas: (u32, u32), size: (u32, u32), bt709: bool) -> Result<Layer, Error> {
        let scale = |value: u32, to: u32, from: u32| {
            let scaled = (u64::from(value) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
            u32::try_from(scaled).unwrap_or(u32::MAX) & !1
        };
        let (from, frame) = ((self.frame.width(), self.frame.height()), &self.frame);
        let width = scale(from.0, size.0, canvas.0).clamp(2, MAX_SIDE);
        let height = scale(from.1, size.1, canvas.1).clamp(2, MAX_SIDE);
        let (format, flags) = (Pixel::YUVA420P, Flags::BICUBIC | Flags::ACCURATE_RND);
        let mut context = Context::get(Pixel::BGRA, from.0, from.1, format, width, height, flags)
            .map_err(ff("scale subtitles"))?;
        if bt709 {
            write_bt709(&mut context);
        }
        let mut scaled = Video::new(format, width, height);
        context.run(frame, &mut scaled).map_err(ff("scale subtitles"))?;
        let (x, y) = (scale(self.x, size.0, canvas.0), scale(self.y, size.1, canvas.1));
        Ok(Layer { x: x as usize, y: y as usize, frame: scaled })
    }
}

impl Layer {
    /// Lays itself over the three planes; what lies outside is left out.
    fn blend(&self, frame: &mut Video) {
        let alpha_stride = self.frame.stride(3);
        let alpha = self.frame.data(3);
        for plane in 0..3 {
            let half = usize::from(plane > 0);
            let (width, height) = (frame.width() as usize >> half, frame.height() as usize >> half);
            let (x, y, stride) = (self.x >> half, self.y >> half, frame.stride(plane));
            let rows = (self.frame.height() as usize >> half).min(height.saturating_sub(y));
            let columns = (self.frame.width() as usize >> half).min(width.saturating_sub(x));
            let (own_stride, own) = (self.frame.stride(plane), self.frame.data(plane));
            let data = frame.data_mut(plane);
            for row in 0..rows {
                for column in 0..columns {
                    let at = (row << half) * alpha_stride + (column << half);
                    let share = match half {
                        0 => u32::from(alpha[at]),
                        _ => mean([alpha[at], alpha[at + 1]], &alpha[at + alpha_stride..]),
                    };
                    let to = &mut data[(y + row) * stride + x + column];
                    let over = u32::from(own[row * own_stride + column]);
                    let mixed = (u32::from(*to) * (255 - share) + over * share + 127) / 255;
                    *to = u8::try_from(mixed).unwrap_or(u8::MAX);
                }
            }
        }
    }
}

/// Of two and the two below them.
fn mean(above: [u8; 2], below: &[u8]) -> u32 {
    let sum: u32 = above.iter().chain(&below[..2]).map(|&a| u32::from(a)).sum();
    sum / 4
}

#[expect(unsafe_code, reason = "FFmpeg's copy on write has no safe wrapper")]
fn make_writable(frame: &mut Video) -> Result<(), Error> {
    // SAFETY: the frame is valid and held exclusively.
    check(unsafe { ffi::av_frame_make_writable(frame.as_mut_ptr()) }, "copy a frame").map(|_| ())
}

#[expect(unsafe_code, reason = "ffmpeg-next has no sws_setColorspaceDetails")]
fn write_bt709(context: &mut Context) {
    // SAFETY: the context is open, the tables are constants of the library.
    unsafe {
        let table = ffi::sws_getCoefficients(ffi::SWS_CS_ITU709);
        let one = 1 << 16;
        ffi::sws_setColorspaceDetails(context.as_mut_ptr(), table, 1, table, 0, 0, one, one);
    }
}

/// Decodes one packet; times are relative to it, in ticks, without end where none is said.
#[expect(unsafe_code, reason = "bitmaps have no safe wrapper that checks their sizes")]
fn decode(decoder: &mut Opened, packet: &Packet) -> Option<Shown> {
    use ffmpeg::packet::Ref as _;
    // SAFETY: AVSubtitle is plain data that FFmpeg fills; rects are read before it is freed.
    unsafe {
        let mut subtitle: ffi::AVSubtitle = std::mem::zeroed();
        let mut got = 0;
        let pointer = packet.as_ptr().cast_mut();
        let context = decoder.as_mut_ptr();
        let code = ffi::avcodec_decode_subtitle2(context, &raw mut subtitle, &raw mut got, pointer);
        if code < 0 || got == 0 {
            return None;
        }
        let bitmaps = (0..subtitle.num_rects as usize)
            .filter_map(|i| bitmap(&**subtitle.rects.add(i)))
            .collect();
        let side = |side: i32| u32::try_from(side).unwrap_or(0);
        let per_ms = i64::from(VIDEO_SCALE) / 1_000;
        let shown = Shown {
            from: i64::from(subtitle.start_display_time) * per_ms,
            until: match subtitle.end_display_time {
                0 | u32::MAX => i64::MAX,
                ms => i64::from(ms) * per_ms,
            },
            canvas: (side((*context).width), side((*context).height)),
            bitmaps,
            layers: None,
        };
        ffi::avsubtitle_free(&raw mut subtitle);
        Some(shown)
    }
}

/// A rectangle of indices and its palette as pixels.
///
/// # Safety
///
/// `rect` is as FFmpeg's decoders fill it.
#[expect(unsafe_code, reason = "see decode")]
unsafe fn bitmap(rect: &ffi::AVSubtitleRect) -> Option<Bitmap> {
    let side = |side: i32| u32::try_from(side).ok().filter(|side| (1..=MAX_SIDE).contains(side));
    let (width, height) = (side(rect.w)?, side(rect.h)?);
    let stride = usize::try_from(rect.linesize[0]).ok().filter(|&s| s >= width as usize)?;
    let bitmap = rect.type_ == ffi::AVSubtitleType::SUBTITLE_BITMAP;
    if !bitmap || rect.data[0].is_null() || rect.data[1].is_null() {
        return None;
    }
    let colours = usize::try_from(rect.nb_colors).unwrap_or(0).min(256);
    let mut frame = Video::new(Pixel::BGRA, width, height);
    let to_stride = frame.stride(0);
    // SAFETY: a bitmap has `h` rows of `linesize` indices, and a palette of `nb_colors` words.
    let (indices, palette) = unsafe {
        let length = stride * (height as usize - 1) + width as usize;
        (
            std::slice::from_raw_parts(rect.data[0], length),
            std::slice::from_raw_parts(rect.data[1].cast::<u32>(), colours),
        )
    };
    let rows = frame.data_mut(0).chunks_mut(to_stride).zip(indices.chunks(stride));
    for (to, from) in rows {
        for (pixel, &index) in to.chunks_exact_mut(4).zip(&from[..width as usize]) {
            // Alpha is the highest byte (AV_PIX_FMT_RGB32).
            let colour = palette.get(usize::from(index)).copied().unwrap_or(0);
            pixel.copy_from_slice(&colour.to_le_bytes());
        }
    }
    let (x, y) = (u32::try_from(rect.x).unwrap_or(0), u32::try_from(rect.y).unwrap_or(0));
    Some(Bitmap { x, y, frame })
}
