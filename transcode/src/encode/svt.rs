//! SVT-AV1: capped constant quality, one processor an encoder.

use ffmpeg_next::codec::encoder::video::Encoder;

use crate::Error;
use crate::error::ff;
use crate::plan::{Rung, VideoPlan};

use super::coder::{colours, set_up};

/// Opens the encoder of a rung. Its first frame is its only key frame.
pub(super) fn open(video: &VideoPlan, rung: &Rung) -> Result<Encoder, Error> {
    let mut options = colours(video.colour);
    options.set("preset", "10");
    options.set("crf", &rung.crf.round().to_string());
    let cap_kbps = rung.max_bitrate_bps / 1_000;
    // With `lp` alone all encoders of a machine would share its first processor.
    options.set("svtav1-params", &format!("lp=1:unpin=1:mbr={cap_kbps}"));
    set_up("libsvtav1", video, rung)?.open_with(options).map_err(ff(super::lane_name(rung)))
}
