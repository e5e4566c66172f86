//! libx264 as measured best for a ladder (docs/transcoding.md): veryfast with capped constant
//! quality, one thread an encoder, a small search for motion.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::encoder::video::Encoder;

use crate::Error;
use crate::error::ff;
use crate::facts::Colour;
use crate::plan::{Rung, VideoPlan};

use super::coder::{colours, set_up};

/// Opens the encoder of a rung.
pub(super) fn open(video: &VideoPlan, rung: &Rung) -> Result<Encoder, Error> {
    let options = options(rung, video.colour);
    set_up("libx264", video, rung)?.open_with(options).map_err(ff(super::lane_name(rung)))
}

/// The parameter sets of an open encoder.
#[expect(unsafe_code, reason = "extradata has no safe getter")]
pub(super) fn extradata(encoder: &Encoder) -> Vec<u8> {
    // SAFETY: the encoder is open; extradata, when there is any, has extradata_size bytes.
    unsafe {
        let context = &*encoder.as_ptr();
        let size = usize::try_from(context.extradata_size).unwrap_or(0);
        if context.extradata.is_null() || size == 0 {
            return Vec::new();
        }
        std::slice::from_raw_parts(context.extradata, size).to_vec()
    }
}

/// The most macroblocks of a picture for which x264 would choose level 1 or 1b (ITU-T H.264 table
/// To Media Capabilities, which players ask, Chromium knows no 1b in the high profile.
const TINY_MACROBLOCKS: u32 = 99;

fn options(rung: &Rung, colour: Colour) -> ffmpeg::Dictionary<'static> {
    let mut options = colours(colour);
    options.set("preset", "veryfast");
    options.set("profile", "high");
    options.set("crf", &rung.crf.to_string());
    options.set("maxrate", &rung.max_bitrate_bps.to_string());
    // One and a half seconds at the cap: peaks of a segment stay within a quarter of it.
    options.set("bufsize", &(u64::from(rung.max_bitrate_bps) * 3 / 2).to_string());
    options.set("threads", "1");
    options.set("forced-idr", "1");
    if rung.width.div_ceil(16) * rung.height.div_ceil(16) <= TINY_MACROBLOCKS {
        options.set("level", "1.2");
    }
    options.set("x264-params", search(rung.width.min(rung.height)));
    options
}

/// What is searched for a rung of that short side. Large pictures lose little by whole macroblocks
/// and a fixed pattern of B-frames, and a look further ahead gives more than that back; in the
/// largest two B-frames do, and each frame ahead costs 7 MB. In small ones a macroblock shows more,
/// and being exact pays.
fn search(short_side: u32) -> &'static str {
    match short_side {
        900.. => "partitions=i8x8:me=dia:bframes=2:b-adapt=0:rc-lookahead=10",
        600.. => "partitions=i8x8:me=dia:b-adapt=0:rc-lookahead=16",
        420.. => "partitions=i8x8,i4x4:me=dia:b-adapt=0:rc-lookahead=16",
        _ => "me=dia:rc-lookahead=16",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_pictures_have_a_level_that_browsers_know() {
        let level = |width: u32, height: u32| {
            let rung = serde_json::json!({
                "name": "144p", "width": width, "height": height, "max_bitrate_bps": 90_000, "crf": 23.0,
            });
            let rung: Rung = serde_json::from_value(rung).expect("a rung");
            options(&rung, Colour::BT709).get("level").map(str::to_owned)
        };
        assert_eq!(level(176, 144).as_deref(), Some("1.2"));
        assert_eq!(level(320, 240), None);
    }
}
