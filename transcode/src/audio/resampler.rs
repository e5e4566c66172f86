//! Any decoded sound to planar floats of one rate, mono or stereo.

use std::ptr;

use ffmpeg_next::ffi;
use ffmpeg_next::frame::Audio;

use crate::Error;
use crate::error::check;

/// What frames look like; a change needs a new resampler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    rate: u32,
    channels: u16,
    format: ffmpeg_next::format::Sample,
    layout: u64,
}

impl Kind {
    #[expect(unsafe_code, reason = "the layout has no safe getter")]
    pub(super) fn of(frame: &Audio) -> Self {
        // SAFETY: the frame is borrowed; `mask` is only meaningful for native layouts.
        let layout = unsafe {
            let layout = &(*frame.as_ptr()).ch_layout;
            match layout.order {
                ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE => layout.u.mask,
                _ => 0,
            }
        };
        Self { rate: frame.rate(), channels: frame.channels(), format: frame.format(), layout }
    }
}

/// libswresample, with a matrix that cannot clip.
pub(super) struct Resampler {
    context: *mut ffi::SwrContext,
    /// That come out of libswresample.
    made: usize,
    /// That are wanted: fewer where it knows no way between the layouts.
    channels: usize,
    rate: u32,
}

/// What each channel of FFmpeg's 7.1 (front left and right, centre, effects, back, side) adds to
/// the left and to the right one: as libswresample has it, which leaves the effects out.
const FOLD: [[f32; 2]; 8] = {
    let half = std::f32::consts::FRAC_1_SQRT_2;
    [
        [1.0, 0.0],
        [0.0, 1.0],
        [half, half],
        [0.0, 0.0],
        [half, 0.0],
        [0.0, half],
        [half, 0.0],
        [0.0, half],
    ]
};

impl Resampler {
    /// From frames of the kind of `frame` to `channels` (1 or 2) at `rate`. Of more than eight
    /// channels, or of none that it knows a layout for, the first ones are taken for 7.1.
    pub(super) fn new(frame: &Audio, channels: u32, rate: u32) -> Result<Self, Error> {
        Self::open(frame, channels, channels, rate)
            .or_else(|_| Self::open(frame, u32::from(frame.channels()), channels, rate))
    }

    #[expect(unsafe_code, reason = "unknown layouts cannot be told through the safe wrapper")]
    fn open(frame: &Audio, made: u32, channels: u32, rate: u32) -> Result<Self, Error> {
        let int = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        // SAFETY: layouts are plain data that live through the call; the context is freed on drop.
        unsafe {
            let mut from: ffi::AVChannelLayout = std::mem::zeroed();
            let mut to: ffi::AVChannelLayout = std::mem::zeroed();
            ffi::av_channel_layout_default(&raw mut to, int(made));
            let said = &raw const (*frame.as_ptr()).ch_layout;
            if made != channels || (*said).order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
                ffi::av_channel_layout_default(&raw mut from, i32::from(frame.channels()));
            } else {
                check(ffi::av_channel_layout_copy(&raw mut from, said), "read the channels")?;
            }
            let mut resampler = Self {
                context: ptr::null_mut(),
                made: made as usize,
                channels: channels as usize,
                rate,
            };
            let code = ffi::swr_alloc_set_opts2(
                &raw mut resampler.context,
                &raw mut to,
                ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP,
                int(rate),
                &raw mut from,
                frame.format().into(),
                int(frame.rate()),
                0,
                ptr::null_mut(),
            );
            ffi::av_channel_layout_uninit(&raw mut from);
            check(code, "set up resampling")?;
            let name = c"rematrix_maxval".as_ptr();
            ffi::av_opt_set_double(resampler.context.cast(), name, 1.0, 0);
            check(ffi::swr_init(resampler.context), "set up resampling")?;
            Ok(resampler)
        }
    }

    /// Samples at the output's rate that are held back.
    #[expect(unsafe_code, reason = "see new")]
    pub(super) fn delay(&self) -> i64 {
        // SAFETY: the context is open.
        unsafe { ffi::swr_get_delay(self.context, i64::from(self.rate)) }
    }

    /// Stretches what comes next: `samples` more (or fewer, if negative) in a second.
    #[expect(unsafe_code, reason = "see new")]
    pub(super) fn stretch(&mut self, samples: i32) {
        let distance = i32::try_from(self.rate).unwrap_or(i32::MAX);
        // SAFETY: the context is open. A refusal leaves the sound as it is.
        unsafe {
            ffi::swr_set_compensation(self.context, samples, distance);
        }
    }

    /// Converts a frame, or with `None` what was held back.
    #[expect(unsafe_code, reason = "see new")]
    pub(super) fn convert(&mut self, frame: Option<&Audio>) -> Result<Vec<Vec<f32>>, Error> {
        let given = frame.map_or(0, |frame| i32::try_from(frame.samples()).unwrap_or(0));
        // SAFETY: there is room for `capacity` samples in each plane, and the frame has `given`
        // samples of the kind that the context was made for.
        unsafe {
            let capacity = ffi::swr_get_out_samples(self.context, given).max(0) + 64;
            let room = usize::try_from(capacity).unwrap_or(0);
            let mut planes = vec![vec![0.0_f32; room]; self.made];
            let mut to: Vec<*mut u8> = planes.iter_mut().map(|p| p.as_mut_ptr().cast()).collect();
            let from = frame.map_or(ptr::null_mut(), |frame| (*frame.as_ptr()).extended_data);
            let made =
                ffi::swr_convert(self.context, to.as_mut_ptr(), capacity, from.cast(), given);
            let made = usize::try_from(check(made, "resample")?).unwrap_or(0);
            planes.iter_mut().for_each(|plane| plane.truncate(made));
            Ok(if self.made == self.channels { planes } else { fold(&planes, self.channels) })
        }
    }
}

/// The first eight channels on one or two, so that nothing can clip.
fn fold(planes: &[Vec<f32>], channels: usize) -> Vec<Vec<f32>> {
    let samples = planes.first().map_or(0, Vec::len);
    let mixed = |channel: usize| {
        let gains = |fold: &[f32; 2]| if channels == 1 { fold[0] + fold[1] } else { fold[channel] };
        let total: f32 = FOLD.iter().take(planes.len()).map(gains).sum();
        let mut to = vec![0.0; samples];
        for (plane, fold) in planes.iter().zip(&FOLD) {
            let gain = gains(fold) / total.max(1.0);
            to.iter_mut().zip(plane).for_each(|(to, from)| *to += from * gain);
        }
        to
    };
    (0..channels).map(mixed).collect()
}

impl Drop for Resampler {
    #[expect(unsafe_code, reason = "see new")]
    fn drop(&mut self) {
        // SAFETY: the context is ours; null is allowed.
        unsafe { ffi::swr_free(&raw mut self.context) }
    }
}
