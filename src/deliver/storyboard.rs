//! Small pictures for the seek bar, as WebVTT with spatial fragments (Media Fragments URI 1.0).

use super::Delivery;

/// WebVTT that names a rectangle of a sprite for each stretch of time.
#[must_use]
pub fn storyboard_vtt(delivery: &Delivery) -> String {
    let mut text = String::from("WEBVTT\n");
    let end_ms = delivery.resource.duration_ms.unwrap_or(i64::MAX);
    for (number, sprite) in delivery.resource.derived.storyboard.iter().enumerate() {
        for tile in 0..sprite.count {
            let start_ms = sprite.first_ms + i64::from(tile) * sprite.interval_ms;
            let stop_ms = (start_ms + sprite.interval_ms).min(end_ms);
            if stop_ms <= start_ms {
                break;
            }
            let columns = sprite.columns.max(1);
            let (x, y) = (tile % columns * sprite.tile_width, tile / columns * sprite.tile_height);
            text.push_str(&format!(
                "\n{} --> {}\nstoryboard/{number}.jpg#xywh={x},{y},{},{}\n",
                time(start_ms),
                time(stop_ms),
                sprite.tile_width,
                sprite.tile_height,
            ));
        }
    }
    text
}

fn time(ms: i64) -> String {
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
}
