//! libx265: capped constant quality, one thread an encoder, closed GOPs.

use ffmpeg_next::codec::encoder::video::Encoder;

use crate::Error;
use crate::error::ff;
use crate::plan::{Rung, VideoPlan};

use super::coder::{colours, set_up};

/// Opens the encoder of a rung.
pub(super) fn open(video: &VideoPlan, rung: &Rung) -> Result<Encoder, Error> {
    let mut options = colours(video.colour);
    options.set("preset", "veryfast");
    options.set("crf", &rung.crf.to_string());
    options.set("forced-idr", "1");
    let cap_kbps = rung.max_bitrate_bps / 1_000;
    // One and a half seconds at the cap, as with x264.
    let parameters = format!(
        "log-level=error:pools=none:frame-threads=1:open-gop=0:info=0:\
         vbv-maxrate={cap_kbps}:vbv-bufsize={}",
        u64::from(cap_kbps) * 3 / 2
    );
    options.set("x265-params", &parameters);
    set_up("libx265", video, rung)?.open_with(options).map_err(ff(super::lane_name(rung)))
}
