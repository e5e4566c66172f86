//! Single frames for fast forward and back (RFC 8216 sections 4.3.3.6 and 4.3.4.3).
//!
//! Of a segment of fMP4 only the first frame can be named: a range must begin with the `moof`, whose
//! samples follow it in one `mdat`. So there is one for every six seconds or so.

use std::fmt::Write as _;

use super::target_s;
use crate::catalogue::Rendition;
use crate::deliver::Delivery;

/// The playlist of the frames that a picture's segments begin with: ranges from the `moof` to the
/// end of the first sample.
#[must_use]
pub fn iframe_playlist(delivery: &Delivery, picture: &Rendition) -> String {
    let whole = !picture.is_growing() && delivery.is_complete();
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{}\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n",
        target_s(picture),
        if whole { "VOD" } else { "EVENT" },
    );
    for (number, (_, segment)) in picture.segments().enumerate() {
        let _ = writeln!(
            text,
            "#EXTINF:{:.6},\n#EXT-X-BYTERANGE:{}@0\n{number}.m4s",
            picture.seconds(segment.duration),
            segment.key_length
        );
    }
    if whole {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

/// The line of the multivariant playlist that names it.
pub(super) fn stream_line(text: &mut String, picture: &Rendition) {
    let bits = |length: u64| length as f64 * 8.0;
    let segments = || picture.segments().map(|(_, segment)| segment);
    let peak = segments()
        .map(|s| bits(s.key_length) / picture.seconds(s.duration).max(1.0))
        .fold(1.0, f64::max);
    let ticks = segments().map(|s| s.duration).sum();
    let average = bits(segments().map(|s| s.key_length).sum()) / picture.seconds(ticks).max(1.0);
    let _ = write!(
        text,
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={}",
        peak.ceil(),
        average.ceil().max(1.0)
    );
    if let Some(codecs) = &picture.codecs {
        let _ = write!(text, ",CODECS=\"{codecs}\"");
    }
    if let (Some(width), Some(height)) = (picture.width, picture.height) {
        let _ = write!(text, ",RESOLUTION={width}x{height}");
    }
    let _ = writeln!(text, ",URI=\"{}/iframes.m3u8\"", picture.id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::{delivery, lines, video};

    #[test]
    fn each_segment_gives_its_first_frame() {
        let one = delivery(vec![video(1280, 720)], Vec::new());
        let text = iframe_playlist(&one, &one.renditions[0]);
        assert_eq!(lines(&text, "#EXT-X-BYTERANGE").len(), 3);
        let end = "#EXTINF:3.000000,\n#EXT-X-BYTERANGE:20000@0\n2.m4s\n#EXT-X-ENDLIST\n";
        assert!(text.contains("#EXT-X-I-FRAMES-ONLY\n") && text.ends_with(end), "{text}");
        let mut line = String::new();
        stream_line(&mut line, &one.renditions[0]);
        // 20 kB for three seconds at most, 60 kB for fifteen in all.
        assert!(line.contains("BANDWIDTH=53334,AVERAGE-BANDWIDTH=32000,"), "{line}");
    }
}
